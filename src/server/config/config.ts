// The configuration of one node: what every directive holds now. Readers ask by name with the type the table gives,
// or watch a directive and keep the value themselves where a look-up per request would be too much.
//
// Names and values are bytes and kept as text with a character for each (resp/byte-text.ts): a password need not be UTF-8.
import { BUS_OFFSET } from "../../cluster/options.ts";
import type { Configuration, SettingRefused } from "../../commands/administration.ts";
import { Glob } from "../../commands/glob.ts";
import { bytesOf, fromUnicode, toUnicode } from "../../resp/byte-text.ts";
import {
  DIRECTIVES,
  type Directive,
  type Name,
  type NameOf,
  type ValueOf,
  findDirective,
} from "./directives.ts";
import { ConfigError, type Setting } from "./kinds.ts";
import { splitWords } from "./words.ts";

/** Told the new value after it was set. Throwing a ConfigError undoes the whole CONFIG SET. */
type Watcher<V> = (value: V) => void;

/** Why a CONFIG SET changes nothing. */
class SetError extends Error {
  override readonly name = "SetError";

  constructor(
    readonly argument: string,
    /** undefined = there is no such directive. */
    readonly reason: string | undefined,
  ) {
    super(reason ?? `unknown directive ${argument}`);
  }
}

const SECRETS: ReadonlySet<Name | undefined> = new Set<Name>([
  "requirepass",
  "masterauth",
  "masteruser",
  "tls-key-file-pass",
  "tls-client-key-file-pass",
]);

const NAMES = Object.keys(DIRECTIVES) as Name[];
const directiveOf = (name: Name): Directive => DIRECTIVES[name];
const defaultOf = (name: Name): Setting => directiveOf(name).kind.parse(directiveOf(name).initial);

/** One word of a file or the command line may hold all of a directive's, quotes included. */
function spread(words: readonly string[]): readonly string[] {
  const [word] = words;
  if (word === undefined || word === "" || words.length > 1) return words;
  const inner = splitWords(word);
  if (inner === undefined) throw new ConfigError("Unbalanced quotes in configuration line");
  return inner;
}

export class Config implements Configuration {
  readonly #settings = new Map<Name, Setting>(NAMES.map((name) => [name, defaultOf(name)]));
  /** Directives a line of a file or the command line has set. */
  readonly #loaded = new Set<Name>();
  readonly #watchers = new Map<Name, Watcher<never>[]>();

  /** @param file absolute path of the configuration file, when the node was started with one */
  constructor(readonly file?: string) {}

  value<N extends Name>(name: N): ValueOf<N> {
    return this.#setting(name).value as ValueOf<N>;
  }

  number(name: NameOf<number>): number {
    return this.value(name);
  }

  flag(name: NameOf<boolean>): boolean {
    return this.value(name);
  }

  /** The value as CONFIG GET shows it. */
  text(name: Name): string {
    return this.#setting(name).text;
  }

  /** The name of a file. */
  path(name: Name): string {
    return toUnicode(this.text(name));
  }

  /** Runs `watcher` now and after each change of the directive. */
  watch<N extends Name>(name: N, watcher: Watcher<ValueOf<N>>): void {
    this.onChange(name, watcher);
    watcher(this.value(name));
  }

  /** Runs `watcher` after each change of the directive. */
  onChange<N extends Name>(name: N, watcher: Watcher<ValueOf<N>>): void {
    const watchers = this.#watchers.get(name) ?? [];
    watchers.push(watcher as Watcher<never>);
    this.#watchers.set(name, watchers);
  }

  /** Sets a directive at start-up, from a line of a file or the command line. Throws ConfigError. */
  load(name: Name, words: readonly string[]): void {
    const { kind } = directiveOf(name);
    const beginsAnew = kind.replacedAtRunTime === true && !this.#loaded.has(name);
    const given = kind.takesSeveral === true ? spread(words) : words;
    const setting = kind.parse(given, beginsAnew ? undefined : this.#setting(name));
    refuseUnbuilt(name, setting, true);
    this.#settings.set(name, setting);
    this.#loaded.add(name);
  }

  /** Directives set to what has no effect here, and does no harm either. */
  moot(): readonly Name[] {
    return NAMES.filter((name) => directiveOf(name).built === "moot" && !this.isDefault(name));
  }

  /** What the directives contradict each other in, if anything. For the end of start-up. */
  conflict(): string | undefined {
    if (this.flag("cluster-enabled") && this.value("replicaof") !== undefined) {
      return "replicaof directive not allowed in cluster mode";
    }
    const port = this.number("port");
    const clusterPort = this.number("cluster-port");
    if (this.flag("cluster-enabled") && clusterPort === 0 && port + BUS_OFFSET > 65535) {
      return `port ${port} leaves no room for the bus at port + ${BUS_OFFSET}: choose a lower port or set cluster-port`;
    }
    return undefined;
  }

  /** Spelling and text of every directive a pattern names; an exact name is echoed in the case it was asked in. */
  get(patterns: readonly string[]): Map<string, string> {
    const found = new Map<string, string>();
    const seen = new Set<string>();
    const show = (spelling: string, name: Name): void => {
      if (seen.has(spelling.toLowerCase())) return;
      seen.add(spelling.toLowerCase());
      found.set(spelling, this.text(name));
    };
    const isGlob = (pattern: string): boolean => /[*?[]/.test(pattern);
    for (const pattern of patterns) {
      const name = isGlob(pattern) ? undefined : findDirective(pattern);
      if (name !== undefined) show(pattern, name);
    }
    const globs = patterns.filter(isGlob).map((text) => new Glob(bytesOf(text), { ignoreCase: true }));
    for (const name of globs.length === 0 ? [] : NAMES) {
      for (const spelling of [name, directiveOf(name).alias]) {
        if (spelling === undefined) continue;
        const bytes = bytesOf(spelling);
        if (globs.some((glob) => glob.matches(bytes))) show(spelling, name);
      }
    }
    return found;
  }

  /** Sets all pairs or none; the first that cannot be set says why. */
  set(pairs: readonly (readonly [name: string, text: string])[]): SettingRefused | undefined {
    try {
      this.#set(pairs);
      return undefined;
    } catch (error) {
      if (error instanceof SetError) return { argument: error.argument, reason: error.reason };
      throw error;
    }
  }

  isSecret(name: string): boolean {
    return SECRETS.has(findDirective(name));
  }

  #set(pairs: readonly (readonly [name: string, text: string])[]): void {
    const chosen = this.#choose(pairs);
    const next = chosen.map(({ name, asked, text }) => this.#parse(name, asked, text));
    const before = chosen.map(({ name }) => this.#setting(name));
    for (const [i, { name }] of chosen.entries()) {
      const setting = next[i];
      if (setting !== undefined) this.#settings.set(name, setting);
    }
    for (const [i, { name, asked }] of chosen.entries()) {
      if (isSame(next[i], before[i])) continue;
      try {
        this.#tell(name);
      } catch (error) {
        for (const [j, other] of chosen.entries())
          this.#settings.set(other.name, before[j] ?? defaultOf(other.name));
        for (const told of chosen.slice(0, i + 1)) this.#tell(told.name);
        if (error instanceof ConfigError) throw new SetError(asked, error.message);
        throw error;
      }
    }
  }

  /** The lines CONFIG REWRITE would write for a directive, its name included. */
  lines(name: Name): readonly string[] {
    if (name === "replicaof" && this.flag("cluster-enabled")) return []; // nodes.conf says whom it follows
    return directiveOf(name)
      .kind.lines(this.#setting(name))
      .map((line) => `${name} ${line}`);
  }

  isDefault(name: Name): boolean {
    return this.text(name) === defaultOf(name).text;
  }

  /** The master REPLICAOF or the cluster has this server follow; undefined = none. Watchers are not told. */
  recordMaster(master: { readonly host: string; readonly port: number } | undefined): void {
    const words = master === undefined ? ["no", "one"] : [fromUnicode(master.host), String(master.port)];
    this.record("replicaof", words);
  }

  /** What the server itself found out about a file's name. Watchers are not told. */
  recordPath(name: Name, path: string): void {
    this.record(name, [fromUnicode(path)]);
  }

  /** What the server itself found out or had to change. Watchers are not told. */
  record(name: Name, words: readonly string[]): void {
    this.#settings.set(name, directiveOf(name).kind.parse(words));
  }

  /** The directives of a CONFIG SET, each allowed to change at run time; the first that is not ends it. */
  #choose(pairs: readonly (readonly [string, string])[]): { name: Name; asked: string; text: string }[] {
    const chosen: { name: Name; asked: string; text: string }[] = [];
    for (const [asked, text] of pairs) {
      const name = findDirective(asked);
      if (name === undefined) throw new SetError(asked, undefined);
      const { change } = directiveOf(name);
      if (change === "start") throw new SetError(asked, "can't set immutable config");
      if (change === "protected" && this.value("enable-protected-configs") !== "yes") {
        throw new SetError(asked, "can't set protected config");
      }
      if (chosen.some((other) => other.name === name && other.asked === asked.toLowerCase())) {
        throw new SetError(asked, "duplicate parameter");
      }
      chosen.push({ name, asked: asked.toLowerCase(), text });
    }
    return chosen;
  }

  #parse(name: Name, asked: string, text: string): Setting {
    const { kind, watched } = directiveOf(name);
    const before = this.#setting(name);
    const words = kind.takesSeveral !== true ? [text] : text === "" ? [] : text.split(" ");
    try {
      const setting = kind.parse(words, kind.replacedAtRunTime === true ? undefined : before);
      refuseUnbuilt(name, setting, false);
      if (watched && setting.text !== before.text && !this.#watchers.has(name)) {
        throw new ConfigError("it takes effect only at the start of this server");
      }
      return setting;
    } catch (error) {
      if (error instanceof ConfigError) throw new SetError(asked, error.message);
      throw error;
    }
  }

  #tell(name: Name): void {
    const { value } = this.#setting(name);
    for (const watcher of this.#watchers.get(name) ?? []) watcher(value as never);
  }

  #setting(name: Name): Setting {
    const setting = this.#settings.get(name);
    if (setting === undefined) throw new Error(`no setting for ${name}`);
    return setting;
  }
}

/** Of two texts that are alike the values may differ: `A` stands for all event classes, with or without `n`. */
function isSame(a: Setting | undefined, b: Setting | undefined): boolean {
  return a?.text === b?.text && (typeof a?.value === "object" || a?.value === b?.value);
}

/** Directives nothing acts on keep their default; accepting another value would promise what does not happen. */
function refuseUnbuilt(name: Name, setting: Setting, atStart: boolean): void {
  const { built } = directiveOf(name);
  if (built === true || (built === "moot" && atStart)) return;
  const { text } = defaultOf(name);
  if (setting.text === text) return;
  throw new ConfigError(`this server does not implement '${name}': only its default, '${text}', is accepted`);
}
