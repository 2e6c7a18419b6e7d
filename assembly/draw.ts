// Draws an element of one hashtable, each with the same chance: a bucket is drawn and accepted as often as it holds
// elements (out of 32), which makes up for buckets being unequal.
import { BUCKET_ENTRIES, Bucket, bucketAt } from "./bucket";
import { Cell, chainLength } from "./chain";
import { below } from "./chance";
import { TableRecord } from "./tablerecord";

const DRAWS: u32 = 32;

/** The first line of the chain the last `draw` came to. */
export let drawnBucket: usize = 0;

/** The cell of a random element of a table that is not empty. */
export function draw(record: usize): usize {
  const buckets = TableRecord.buckets(record);
  for (;;) {
    const first = bucketAt(record, below(buckets));
    let chance = below(DRAWS);
    // A chain beyond the draws is always accepted, and any of it may be meant.
    const length = chainLength(first);
    if (length > DRAWS) chance = below(length);
    if (chance >= length) continue;
    drawnBucket = first;
    let line = first;
    for (; chance >= BUCKET_ENTRIES; chance -= BUCKET_ENTRIES) line = Bucket.next(line);
    return Cell.of(line, chance);
  }
}
