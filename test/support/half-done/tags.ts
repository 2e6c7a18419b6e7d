// Hash tags and the slots they are of, as a server tells: cases take keys of slots of their own.
import type { Client } from "../client.ts";

export interface Tag {
  readonly tag: string;
  readonly slot: number;
}

export async function slotsOfTags(client: Client, count: number): Promise<Tag[]> {
  const tags = Array.from({ length: count }, (_, i) => `t${i}`);
  const replies = await client.pipeline(tags.map((tag) => ["CLUSTER", "KEYSLOT", tag]));
  return replies.map(({ value }, i) => {
    if (value.kind !== "integer") throw new Error(`KEYSLOT gave ${value.kind}`);
    return { tag: tags[i]!, slot: Number(value.text) };
  });
}
