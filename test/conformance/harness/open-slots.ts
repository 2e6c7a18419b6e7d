// Declares tests of what clients see while a slot is open: the same script with a cluster of redis-servers and with one
// of ours, in both protocols. What is said and heard must be the same, line by line.
import { beforeAll, expect, test } from "bun:test";
import type { Scope } from "../../support/cleanup.ts";
import type { Flags } from "../../support/servers.ts";
import { type Ends, startBothEnds } from "./ends.ts";
import { Talk } from "./talk.ts";

export type Scene = string | ((talk: Talk, ends: Ends) => Promise<void>);

export interface OpenSlotOptions {
  readonly replicas?: boolean;
  readonly protocols?: readonly (2 | 3)[];
  readonly flags?: Flags;
  /** Slots that scenes move. */
  readonly slots?: readonly number[];
}

/** Lines of a script: slot 3300 is opened at both ends, and closed again, the target's now. */
export const OPEN = `
  b- cluster setslot 3300 importing $A
  a- cluster setslot 3300 migrating $B`;
export const CLOSE = `
  b- cluster setslot 3300 node $B
  a- cluster setslot 3300 node $B`;

/** Where ours is meant to differ from redis-server 7.0.15: what is found is left out on both sides. */
export interface IntendedHere {
  readonly reason: string;
  readonly leftOut: RegExp;
}

const SCENE_MS = 60_000;

/** A pair of clusters for a file, and how to play scenes with it. */
export function bothEnds(scope: Scope, options: OpenSlotOptions = {}) {
  let ends: Awaited<ReturnType<typeof startBothEnds>> | undefined;
  beforeAll(async () => {
    ends = await startBothEnds(scope, options);
  }, 60_000);

  const hear = async (
    which: "theirs" | "ours",
    protocol: 2 | 3,
    scene: Scene,
  ): Promise<readonly string[]> => {
    const world = ends![which];
    await world.reset(options.slots);
    const talk = new Talk(world, protocol);
    try {
      if (typeof scene === "string") await talk.play(scene);
      else await scene(talk, world);
    } catch (error) {
      throw new Error(`${which}: ${String(error)}\nso far\n${talk.heard.slice(-20).join("\n")}`, {
        cause: error,
      });
    }
    return talk.end();
  };

  return (name: string, scene: Scene, intended: readonly IntendedHere[] = []): void => {
    const comparable = (heard: readonly string[]): readonly string[] =>
      heard
        .map((line) => intended.reduce((text, { leftOut }) => text.replaceAll(leftOut, ""), line))
        .filter((line) => line !== "");
    for (const protocol of options.protocols ?? ([2, 3] as const)) {
      test(
        `${name}, RESP${protocol}`,
        async () => {
          const theirs = await hear("theirs", protocol, scene);
          const ours = await hear("ours", protocol, scene);
          expect(comparable(ours)).toEqual([...comparable(theirs)]);
        },
        SCENE_MS,
      );
    }
  };
}
