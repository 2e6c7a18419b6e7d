// Brings what a batch of requests is about to touch into the processor's caches.
//
// A key of a large keyspace is two waits for memory away: for its bucket line, and for the entry the line points to.
// One request after the other, they are waited for one after the other. Here each wait is begun for all keys of a
// pipeline before the next is, so that they pass at the same time. Nothing changes but the time it takes; only the
// slots, which the host needs anyway, are a result.
//
//   table, per key: | ptr u32 | length u32 | slot u32 (written here) | unused u32 |
import { slotOf } from "./crc16";
import { Database } from "./database";
import { hashOf } from "./hash";
import { Bucket, bucketOf } from "./bucket";
import { TableRecord } from "./tablerecord";

const BATCH: u32 = 16;
/** A keyspace of fewer keys is in the caches anyway. */
const FEW_KEYS: u32 = 32768;
const HASHES: usize = memory.data(128);
const LINES: usize = memory.data(64);

/**
 * Computes the slot of each key of the table, and warms their buckets and entries in the selected database. Best
 * called for 16 keys at a time, just before their requests run.
 * @returns a number without meaning, which keeps the reading from being optimised away
 */
export function warm(table: usize, count: u32): u32 {
  const db = Database.selected();
  const directory: u32 = Database.keys(db) < FEW_KEYS ? 0 : <u32>Database.directory(db);
  let seen: u32 = 0;
  for (let from: u32 = 0; from < count; from += BATCH) {
    const batch = table + (from << 4);
    const size = min(count - from, BATCH);
    for (let i: u32 = 0; i < size; i++) {
      const item = batch + (i << 4);
      const slot = slotOf(load<u32>(item), load<u32>(item, 4));
      store<u32>(item, slot, 8);
      if (directory == 0) continue;
      store<u64>(HASHES + (i << 3), hashOf(load<u32>(item), load<u32>(item, 4)));
      seen ^= load<u32>(directory + (slot << 4));
    }
    if (directory != 0) seen ^= warmLines(directory, batch, size);
  }
  return seen;
}

function warmLines(directory: usize, batch: usize, size: u32): u32 {
  let seen: u32 = 0;
  for (let i: u32 = 0; i < size; i++) {
    const record = directory + (load<u32>(batch + (i << 4), 8) << 4);
    const line: u32 =
      TableRecord.buckets(record) == 0 ? 0 : <u32>bucketOf(record, load<u64>(HASHES + (i << 3)));
    store<u32>(LINES + (i << 2), line);
    if (line != 0) seen ^= load<u32>(line);
  }
  for (let i: u32 = 0; i < size; i++) {
    const line: usize = load<u32>(LINES + (i << 2));
    if (line == 0) continue;
    const matches = Bucket.matches(line, Bucket.tagOf(load<u64>(HASHES + (i << 3))));
    // Without a match in this line, the next of the chain may be what is needed.
    const entry = matches != 0 ? Bucket.entry(line, ctz(matches)) : Bucket.next(line);
    if (entry != 0) seen ^= load<u32>(entry) ^ load<u8>(secondLine(entry));
  }
  return seen;
}

/** An address in the next cache line of a block, or of the block when that line may lie beyond memory. */
function secondLine(block: usize): usize {
  return (block & 0xffff) < 0xffc0 ? block + 64 : block;
}
