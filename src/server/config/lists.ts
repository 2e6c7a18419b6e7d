// Directives whose value has a grammar of its own: save points, output limits, event classes and the like.
import { ConfigError, type Kind, parseMemory, several, type Setting } from "./kinds.ts";

export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

/** `save 900 1 300 10`: pairs of seconds and changes; an empty argument for no snapshots. Lines add up. */
export const savePoints: Kind<readonly SavePoint[]> = {
  takesSeveral: true,
  replacedAtRunTime: true,
  parse(words, before) {
    const numbers = several(words);
    if (words.length === 1 && numbers.length === 0) return { value: [], text: "" };
    const points: SavePoint[] = [...(before?.value ?? [])];
    for (let i = 0; i < numbers.length; i += 2) {
      const seconds = numbers[i] ?? "";
      const changes = numbers[i + 1] ?? "";
      if (!/^[0-9]+$/.test(seconds) || !/^[0-9]+$/.test(changes) || Number(seconds) < 1) {
        throw new ConfigError("Invalid save parameters");
      }
      points.push({ seconds: Number(seconds), changes: Number(changes) });
    }
    return { value: points, text: points.map((point) => `${point.seconds} ${point.changes}`).join(" ") };
  },
  lines: ({ value }) =>
    value.length === 0 ? ['""'] : value.map(({ seconds, changes }) => `${seconds} ${changes}`),
};

export interface OutputLimit {
  /** Bytes; reaching it closes the client at once. 0 = none. */
  readonly hardBytes: number;
  /** Bytes; staying above it for `softSeconds` closes the client. 0 = none. */
  readonly softBytes: number;
  readonly softSeconds: number;
}

export type OutputLimits = Readonly<Record<"normal" | "replica" | "pubsub", OutputLimit>>;

const LIMIT_CLASSES = { normal: "normal", slave: "replica", replica: "replica", pubsub: "pubsub" } as const;
const NO_LIMIT: OutputLimit = { hardBytes: 0, softBytes: 0, softSeconds: 0 };

/** `client-output-buffer-limit class hard soft seconds ...`; a class not named keeps what it had. */
export const outputLimits: Kind<OutputLimits> = {
  takesSeveral: true,
  parse(parts, before) {
    if (parts.length % 4 !== 0) {
      throw new ConfigError("Wrong number of arguments in buffer limit configuration.");
    }
    const limits = { ...(before?.value ?? { normal: NO_LIMIT, replica: NO_LIMIT, pubsub: NO_LIMIT }) };
    for (let i = 0; i < parts.length; i += 4) {
      const name = (parts[i] ?? "").toLowerCase();
      if (!Object.hasOwn(LIMIT_CLASSES, name)) {
        throw new ConfigError("Invalid client class specified in buffer limit configuration.");
      }
      const hard = parseMemory(parts[i + 1] ?? "");
      const soft = parseMemory(parts[i + 2] ?? "");
      const seconds = parts[i + 3] ?? "";
      if (hard === undefined || soft === undefined || !/^[0-9]+$/.test(seconds)) {
        throw new ConfigError("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
      }
      limits[LIMIT_CLASSES[name as keyof typeof LIMIT_CLASSES]] = {
        hardBytes: Number(hard),
        softBytes: Number(soft),
        softSeconds: Number(seconds),
      };
    }
    return { value: limits, text: limitLines(limits, "slave").join(" ") };
  },
  lines: ({ value }) => limitLines(value, "replica"),
};

function limitLines(limits: OutputLimits, replicaName: string): string[] {
  return (["normal", "replica", "pubsub"] as const).map((name) => {
    const { hardBytes, softBytes, softSeconds } = limits[name];
    return `${name === "replica" ? replicaName : name} ${hardBytes} ${softBytes} ${softSeconds}`;
  });
}

/** Three process scores, for master, replica and background child. */
export const oomScores: Kind<readonly number[]> = {
  takesSeveral: true,
  parse(parts) {
    if (parts.length !== 3) throw new ConfigError("wrong number of arguments");
    const value = parts.map(Number);
    if (!parts.every((part) => /^-?[0-9]+$/.test(part)) || value.some((score) => Math.abs(score) > 2000)) {
      throw new ConfigError("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
    }
    return { value, text: value.join(" ") };
  },
  lines: ({ text }) => [text],
};

/** Percentiles between 0 and 100, or an empty argument for none. */
export const percentiles: Kind<readonly number[]> = {
  takesSeveral: true,
  parse(words) {
    const parts = several(words);
    if (parts.some((part) => !/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+|0x[0-9a-f]+)(e[+-]?[0-9]+)?$/i.test(part))) {
      throw new ConfigError("Invalid latency-tracking-info-percentiles parameters");
    }
    const value = parts.map(Number);
    if (value.some((share) => share < 0 || share > 100)) {
      throw new ConfigError("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
    }
    return { value, text: value.join(" ") };
  },
  lines: (setting) => [setting.text === "" ? '""' : setting.text],
};

/** The event classes of `notify-keyspace-events`, in the order they print; `A` stands for those in ALL. */
const ALL_EVENTS = "g$lshzxetd";
const EVENT_CLASSES = `${ALL_EVENTS}nKEm`;

export const eventClasses: Kind<string> = {
  parse(words): Setting<string> {
    const [word] = words;
    if (word === undefined || words.length > 1) throw new ConfigError("wrong number of arguments");
    const given = new Set(word.replaceAll("A", ALL_EVENTS));
    for (const char of given) {
      if (!EVENT_CLASSES.includes(char)) {
        throw new ConfigError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
      }
    }
    const value = [...EVENT_CLASSES].filter((char) => given.has(char)).join("");
    // Beside `A`, Redis does not print `n` although it stays on.
    const text = value.startsWith(ALL_EVENTS) ? value.replace(/^.*?d(n?)/, "A") : value;
    return { value, text };
  },
  lines: ({ text }) => [`"${text}"`],
};
