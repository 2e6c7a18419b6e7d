// What a stream is made of: requests whose replies are compared, and probes, small dialogues compared by what they find.
import type { Client } from "../../support/client.ts";
import type { Argument, Reply } from "../../support/resp.ts";
import type { Random } from "../../support/random.ts";

/** Why two replies do not count as the same; undefined = they do. */
export type Compare = (theirs: Reply, ours: Reply) => string | undefined;

export interface Request {
  readonly args: readonly Argument[];
  /** Byte for byte when absent. */
  readonly compare?: Compare;
}

export interface Probe {
  readonly name: string;
  /** Talks to one server; both must end with the same text. */
  readonly find: (client: Client) => Promise<string>;
}

export type Step = Request | Probe;

export type Mode = "alone" | "cluster";

/** Draws steps. Everything follows from the generator and the mode, nothing from the servers' replies. */
export type Generator = (random: Random, mode: Mode) => Step;

export function isProbe(step: Step): step is Probe {
  return "find" in step;
}
