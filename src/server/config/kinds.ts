// The kinds of values a directive can hold: how each is read from words, what is refused, how it prints.
// Pure: a kind knows nothing of which directive uses it. Words and texts stand for bytes, see resp/byte-text.ts.
import { isUnicode } from "../../resp/byte-text.ts";
import { quote, quoteIfNeeded } from "./words.ts";

/** A refused value; the text says why and becomes the last part of CONFIG SET's error. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** One value as read: what code uses, and the text CONFIG GET shows. */
export interface Setting<V = unknown> {
  readonly value: V;
  readonly text: string;
}

export interface Kind<V> {
  /**
   * @param words the arguments after the directive's name, quotes already removed
   * @param before what the directive held, for kinds whose lines add up. Throws ConfigError.
   */
  parse(words: readonly string[], before?: Setting<V>): Setting<V>;
  /** Takes several words; one that holds them all will do too. */
  readonly takesSeveral?: true;
  /** CONFIG SET, and the first line of a file, begin anew instead of adding to what was there; later lines add up. */
  readonly replacedAtRunTime?: true;
  /** The lines CONFIG REWRITE writes, without the directive's name. */
  lines(setting: Setting<V>): readonly string[];
}

const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;
export const INT_MAX = 2147483647;
/** Largest count a 64-bit directive takes; kept as text, since a number stops being exact at 2^53. */
export const LONG_MAX = INT64_MAX;

/** The only word given; a directive of one value takes no more and no less. */
function single(words: readonly string[]): string {
  const [word] = words;
  if (word === undefined || words.length > 1) throw new ConfigError("wrong number of arguments");
  return word;
}

/** The words of a directive that takes several, where one empty word stands for none. */
export function several(words: readonly string[]): readonly string[] {
  return words.length === 1 && words[0] === "" ? [] : words;
}

export function flag(): Kind<boolean> {
  return {
    parse(words) {
      const word = single(words).toLowerCase();
      if (word !== "yes" && word !== "no") throw new ConfigError("argument must be 'yes' or 'no'");
      return { value: word === "yes", text: word };
    },
    lines: ({ text }) => [text],
  };
}

export interface IntegerOptions {
  /** Read and written in base 8, as file modes are. */
  readonly octal?: boolean;
  /** Values outside this narrower range are moved to its edge, silently, as Redis does for hz. */
  readonly clamp?: readonly [low: number, high: number];
}

export function integer(
  min: number | bigint,
  max: number | bigint,
  options: IntegerOptions = {},
): Kind<number> {
  return {
    parse(words) {
      const word = single(words);
      const pattern = options.octal === true ? /^[0-7]+$/ : /^(0|-?[1-9][0-9]*)$/;
      const exact = pattern.test(word) ? BigInt(options.octal === true ? `0o${word}` : word) : undefined;
      if (exact === undefined || exact > INT64_MAX || exact < -INT64_MAX - 1n) {
        const wanted = options.octal === true ? "an octal number" : "an integer";
        throw new ConfigError(`argument couldn't be parsed into ${wanted}`);
      }
      if (exact < min || exact > max)
        throw new ConfigError(`argument must be between ${min} and ${max} inclusive`);
      if (options.clamp !== undefined) {
        const value = Math.min(Math.max(Number(exact), options.clamp[0]), options.clamp[1]);
        return { value, text: String(value) };
      }
      return { value: Number(exact), text: exact.toString(options.octal === true ? 8 : 10) };
    },
    lines: ({ text }) => [text],
  };
}

const UNITS: Record<string, bigint> = {
  "": 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000n ** 2n,
  mb: 1024n ** 2n,
  g: 1000n ** 3n,
  gb: 1024n ** 3n,
};

/** No digits are 0, as Redis has it. Bytes from `64`, `1k` (1000), `1kb` (1024) and so on; undefined when it is no such thing. */
export function parseMemory(word: string): bigint | undefined {
  const match = /^([0-9]*)([a-z]*)$/.exec(word.toLowerCase());
  const unit = match === null ? undefined : UNITS[match[2] ?? ""];
  if (match === null || unit === undefined) return undefined;
  const bytes = BigInt(match[1] || "0") * unit;
  return bytes > UINT64_MAX ? undefined : bytes;
}

export interface MemoryOptions {
  readonly min?: number;
  readonly max?: number | bigint;
  /** Smaller values are raised to this, silently. */
  readonly atLeast?: number;
  /** Said in place of the range when a value exceeds `max`. */
  readonly tooMuch?: string;
  /** `5%` is allowed too, and held as -5. */
  readonly percent?: boolean;
}

export function memory(options: MemoryOptions = {}): Kind<number> {
  const min = BigInt(options.min ?? 0);
  const max = BigInt(options.max ?? INT64_MAX);
  const wanted = options.percent === true ? "memory or percent" : "memory";
  return {
    parse(words) {
      const word = single(words);
      if (options.percent === true && /^[0-9]+%$/.test(word)) {
        const share = Number(word.slice(0, -1));
        if (share > 100) throw new ConfigError("percentage argument must be less or equal to 100");
        return { value: -share, text: `${share}%` };
      }
      const bytes = parseMemory(word);
      if (bytes === undefined) throw new ConfigError(`argument must be a ${wanted} value`);
      if (bytes > max && options.tooMuch !== undefined) throw new ConfigError(options.tooMuch);
      if (bytes < min || bytes > max)
        throw new ConfigError(`argument must be between ${min} and ${max} inclusive`);
      const value = Math.max(Number(bytes), options.atLeast ?? 0);
      return { value, text: value === Number(bytes) ? String(bytes) : String(value) };
    },
    lines: ({ text }) => [shortMemory(text)],
  };
}

/** Bytes in the largest unit that leaves no rest, as CONFIG REWRITE writes them. */
function shortMemory(text: string): string {
  if (!/^[1-9][0-9]*$/.test(text)) return text;
  const bytes = BigInt(text);
  for (const unit of ["gb", "mb", "kb"]) {
    const size = UNITS[unit] ?? 1n;
    if (bytes % size === 0n) return `${bytes / size}${unit}`;
  }
  return text;
}

export function choice<const W extends string>(...options: readonly W[]): Kind<W> {
  return {
    parse(words) {
      const word = single(words).toLowerCase();
      const found = options.find((option) => option === word);
      if (found === undefined) {
        throw new ConfigError(`argument(s) must be one of the following: ${options.join(", ")}`);
      }
      return { value: found, text: found };
    },
    lines: ({ text }) => [text],
  };
}

/** Several of a set of words, as in `shutdown-on-sigterm nosave now`; `refuse` returns why some do not go together. */
export function choices<const W extends string>(
  options: readonly W[],
  refuse: (words: readonly W[]) => string | undefined,
): Kind<readonly W[]> {
  return {
    takesSeveral: true,
    parse(words) {
      const found = words.map((word) => options.find((option) => option === word.toLowerCase()));
      const known = options.filter((option) => found.includes(option));
      if (found.length === 0 || found.includes(undefined)) {
        throw new ConfigError(`argument(s) must be one of the following: ${options.join(", ")}`);
      }
      const reason = refuse(known);
      if (reason !== undefined) throw new ConfigError(reason);
      return { value: known, text: known.join(" ") };
    },
    lines: ({ text }) => [text],
  };
}

/** Any bytes but NUL, where Redis would end the value without a word; `refuse` returns why others will not do. */
export function string(refuse: (word: string) => string | undefined = () => undefined): Kind<string> {
  return anyBytes((word) => (word.includes("\0") ? "argument must not hold a NUL byte" : refuse(word)));
}

/** The name of a file: the system's calls take text. */
export function fileName(refuse: (word: string) => string | undefined = () => undefined): Kind<string> {
  return string((word) => (isUnicode(word) ? refuse(word) : "a file name must be UTF-8"));
}

/** Any bytes; `refuse` returns why they will not do. */
export function anyBytes(refuse: (word: string) => string | undefined = () => undefined): Kind<string> {
  return {
    parse(words) {
      const word = single(words);
      const reason = refuse(word);
      if (reason !== undefined) throw new ConfigError(reason);
      return { value: word, text: word };
    },
    lines: (setting) => [quote(setting.text)],
  };
}

/** A list of words, as `bind` takes. */
export function list(limit: number): Kind<readonly string[]> {
  return {
    takesSeveral: true,
    parse(words) {
      const value = several(words);
      if (value.length > limit) throw new ConfigError("Too many bind addresses specified.");
      return { value, text: value.join(" ") };
    },
    lines: (setting) => [setting.value.length === 0 ? '""' : setting.value.map(quoteIfNeeded).join(" ")],
  };
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host port`, or `no one` for none. */
export function address(): Kind<Address | undefined> {
  return {
    takesSeveral: true,
    parse(words) {
      const [host, port, ...rest] = words;
      if (host === undefined || port === undefined || rest.length > 0)
        throw new ConfigError("wrong number of arguments");
      if (host.toLowerCase() === "no" && port.toLowerCase() === "one") return { value: undefined, text: "" };
      if (!/^[0-9]+$/.test(port) || Number(port) > 65535) throw new ConfigError("Invalid master port");
      return { value: { host, port: Number(port) }, text: `${host} ${port}` };
    },
    lines: ({ value }) => (value === undefined ? [] : [`${quoteIfNeeded(value.host)} ${value.port}`]),
  };
}
