// A walk over thresholds is made of scripts. Each builds a value of a size at a threshold, runs commands that may cross
// it, and looks at the value after each. What a walk is for a type is its `Walk`; `scriptOf` draws one script of it.
import type { Random } from "../../support/random.ts";
import type { Argument } from "../../support/resp.ts";
import type { Compare, Request } from "../harness/step.ts";
import { keyName, lengthOf, textOf } from "../harness/sizes.ts";

export type Args = readonly Argument[];

/** Directives by name. */
export type Settings = Readonly<Record<string, string>>;

export interface Scene {
  readonly key: string;
  /** Another key, of the same type or free. */
  readonly other: string;
  /** Which threshold the value at `key` stands at. */
  readonly size: number;
  readonly build: readonly Args[];
  /** What the value is made of: elements, fields or members. */
  readonly parts: readonly string[];
}

/** A command that leaves something to chance: how its replies may differ, and what can be looked at afterwards. */
export interface Drawn {
  readonly args: Args;
  readonly compare: Compare;
  readonly looks: readonly Args[];
}

export type CommandWalk = (random: Random, scene: Scene) => Args | Drawn;

export interface Walk {
  readonly name: string;
  /** Sizes a value is built to, in whatever the type counts. */
  readonly sizes: readonly number[];
  /** Sizes that take long to build; they come now and then. */
  readonly rareSizes: readonly number[];
  readonly settings: (random: Random) => Settings;
  readonly scene: (random: Random, size: number, key: string, other: string) => Scene;
  /** By name of the command, in lower case: a request about the scene. */
  readonly commands: Readonly<Record<string, CommandWalk>>;
  /** Requests that read the value; their replies have one order. */
  readonly looks: (random: Random, scene: Scene) => readonly Args[];
}

export interface Script {
  readonly name: string;
  readonly settings: Settings;
  readonly requests: readonly Request[];
  /** The key to dump when all has run. */
  readonly dumped: string | undefined;
}

/** What is in force where a walk says nothing else. */
export const DEFAULTS: Settings = {
  "list-max-listpack-size": "-2",
  "list-compress-depth": "0",
  "hash-max-listpack-entries": "128",
  "hash-max-listpack-value": "64",
  "set-max-intset-entries": "512",
  "zset-max-listpack-entries": "128",
  "zset-max-listpack-value": "64",
};

/** Commands that would wait if there were nothing to take. */
const isBlocking = (name: string): boolean => name.startsWith("b");

/** How often a script changes the settings while its value is there, and how often it dumps it. */
const CHANGES = 0.15;
const DUMPS = 0.25;

export function scriptOf(random: Random, walk: Walk, command: string, size: number): Script {
  const settings = { ...DEFAULTS, ...walk.settings(random) };
  const scene = walk.scene(random, size, keyName(random, "k"), keyName(random, "o"));
  const requests: Request[] = [];
  const push = (...args: readonly Args[]): void => void requests.push(...args.map((one) => ({ args: one })));
  /** Runs a command; false = it left something to chance, and the servers may part. */
  const run = (name: string): boolean => {
    const drawn = walk.commands[name]!(random, scene);
    if ("args" in drawn) {
      requests.push(drawn);
      push(...drawn.looks);
      return false;
    }
    push(drawn, ...looksAt(random, walk, scene));
    return true;
  };
  push(...neighbours(random, scene), ...scene.build);
  if (random.chance(0.2)) push(["PEXPIRE", scene.key, 100_000_000]);
  const change = (): void => {
    const changed = walk.settings(random);
    if (Object.keys(changed).length > 0 && random.chance(CHANGES)) push(configSet(changed));
  };
  change();
  push(...looksAt(random, walk, scene));
  let isSettled = run(command);
  const others = Object.keys(walk.commands).filter((name) => !isBlocking(name));
  for (let more = random.pick([0, 0, 1, 2, 3]); more > 0; more--) {
    if (!isSettled) break;
    change();
    isSettled = run(random.pick(others));
  }
  if (isSettled && random.chance(0.2)) push(["COPY", scene.key, "copy"], ["DEBUG", "DIGEST-VALUE", "copy"]);
  const dumped = isSettled && random.chance(DUMPS) ? scene.key : undefined;
  if (!isSettled) push(["DEL", scene.key, scene.other, "copy"]);
  push(["DEBUG", "DIGEST"]);
  return { name: `${walk.name} of ${size}: ${command}`, settings, requests, dumped };
}

function looksAt(random: Random, walk: Walk, scene: Scene): readonly Args[] {
  return [
    ["OBJECT", "ENCODING", scene.key],
    ["DEBUG", "DIGEST-VALUE", scene.key],
    ...walk.looks(random, scene),
  ];
}

/** Other keys around the one at hand in memory, of about its size; what a script left is deleted. */
function neighbours(random: Random, { key, other, size }: Scene): readonly Args[] {
  const near = (): string => textOf(random, Math.max(1, Math.min(size, 2000) + random.between(-16, 16)));
  return [
    ["DEL", key, other, "copy", "r"],
    ["SET", `n${random.below(8)}`, near()],
    ["SET", `n${random.below(8)}`, near()],
    ["RPUSH", `l${random.below(4)}`, textOf(random, lengthOf(random, 300))],
    ["LTRIM", `l${random.below(4)}`, -5, -1],
  ];
}

export function configSet(settings: Settings): Args {
  return ["CONFIG", "SET", ...Object.entries(settings).flat()];
}
