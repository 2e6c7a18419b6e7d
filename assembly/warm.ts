// Brings what a batch of requests is about to touch into the processor's caches.
//
// A key of a large keyspace is two waits for memory away: for its bucket line, and for the entry the line points to.
// One request after the other, they are waited for one after the other. Here each wait is begun for all keys of a
// pipeline before the next is, so that they pass at the same time; then the same for members of big tables
// (warmmembers.ts). Nothing changes but the time it takes.
import { slotOf } from "./crc16";
import { Database } from "./database";
import { hashOf } from "./hash";
import { Bucket, bucketOf } from "./bucket";
import { bigTablesMet } from "./members";
import { TableRecord } from "./tablerecord";
import { warmMembers } from "./warmmembers";

/** A keyspace of fewer keys is in the caches anyway. */
const FEW_KEYS: u32 = 32768;
/** So many batches after one that met a big table, members are still warmed. */
const BATCHES_LIKE_IT: u32 = 16;
/** Per key: | ptr u32 | length u32 |. */
export const KEYS: usize = memory.data(128);
const RECORDS: usize = memory.data(64);
const HASHES: usize = memory.data(128);
const LINES: usize = memory.data(64);
/** What the tags say are the entries. */
const ENTRIES: usize = memory.data(64);

let bigTablesSeen: u32 = 0;
let batchesLeft: u32 = 0;

/** Whether requests have lately looked members up in big tables; to be asked once per batch. */
function wantsMembers(): bool {
  if (bigTablesMet != bigTablesSeen) batchesLeft = BATCHES_LIKE_IT;
  else if (batchesLeft != 0) batchesLeft--;
  bigTablesSeen = bigTablesMet;
  return batchesLeft != 0;
}

/** Whether anything that requests on the selected database may touch is not in the caches; to be asked once per batch. */
export function isWorthWarming(): bool {
  const wants = wantsMembers();
  return wants || Database.keys(Database.selected()) >= FEW_KEYS;
}

/**
 * Warms what stands in the selected database under up to 16 keys, and the members in warmmembers.ts's `NAMED`. Best
 * called just before their requests run.
 * @returns a number without meaning, which keeps the reading from being optimised away
 */
export function warm(count: u32): u32 {
  const directory: u32 = <u32>Database.directory(Database.selected());
  if (directory == 0) return 0;
  let seen: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const ptr = load<u32>(KEYS + (i << 3));
    const length = load<u32>(KEYS + (i << 3), 4);
    const record = directory + (slotOf(ptr, length) << 4);
    store<u32>(RECORDS + (i << 2), record);
    store<u64>(HASHES + (i << 3), hashOf(ptr, length));
    seen ^= load<u32>(record);
  }
  seen ^= warmLines(count);
  return batchesLeft == 0 ? seen : seen ^ warmMembers(ENTRIES, count);
}

function warmLines(count: u32): u32 {
  let seen: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record: usize = load<u32>(RECORDS + (i << 2));
    const line: u32 =
      TableRecord.buckets(record) == 0 ? 0 : <u32>bucketOf(record, load<u64>(HASHES + (i << 3)));
    store<u32>(LINES + (i << 2), line);
    if (line != 0) seen ^= load<u32>(line);
  }
  for (let i: u32 = 0; i < count; i++) {
    const line: usize = load<u32>(LINES + (i << 2));
    const matches = line == 0 ? 0 : Bucket.matches(line, Bucket.tagOf(load<u64>(HASHES + (i << 3))));
    const entry: usize = matches == 0 ? <usize>0 : Bucket.entry(line, ctz(matches));
    store<u32>(ENTRIES + (i << 2), <u32>entry);
    if (entry != 0) seen ^= load<u32>(entry) ^ load<u8>(secondLine(entry));
    // Without a match in this line, the next of the chain may be what is needed.
    else if (line != 0 && Bucket.next(line) != 0) seen ^= load<u32>(Bucket.next(line));
  }
  return seen;
}

/** An address in the next cache line of a block, or of the block when that line may lie beyond memory. */
function secondLine(block: usize): usize {
  return (block & 0xffff) < 0xffc0 ? block + 64 : block;
}
