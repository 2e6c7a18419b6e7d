// A dialogue of several connections, held with both servers: every byte that arrives on any of them must be the same.
import { expect } from "bun:test";
import type { Judged } from "./conformance.ts";
import { Party } from "./party.ts";

/** @param protocols the connections by name, and the RESP version each speaks */
export async function sameDialogue(
  { theirs, ours }: Judged,
  protocols: Readonly<Record<string, 2 | 3>>,
  dialogue: (party: Party) => Promise<void>,
): Promise<void> {
  const heard: unknown[] = [];
  for (const server of [theirs, ours]) {
    const party = await Party.of(server, protocols);
    try {
      await dialogue(party);
      heard.push(await party.heard());
    } finally {
      party.close();
    }
  }
  expect(heard[1]).toEqual(heard[0]);
}

/** @param protocols as in `sameDialogue`, given the version that most of the connections speak this time */
export async function sameInBoth(
  judged: Judged,
  protocols: (protocol: 2 | 3) => Readonly<Record<string, 2 | 3>>,
  dialogue: (party: Party) => Promise<void>,
): Promise<void> {
  for (const protocol of [2, 3] as const) await sameDialogue(judged, protocols(protocol), dialogue);
}
