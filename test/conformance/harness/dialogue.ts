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
    await dialogue(party);
    heard.push(await party.heard());
  }
  expect(heard[1]).toEqual(heard[0]);
}
