// Faults of the engine: one made on purpose, to see what becomes of it; and a look at a key when one has happened.
import { FAULT_ACCESS } from "./abi";
import { Bucket, bucketOf } from "./bucket";
import { Cell } from "./chain";
import { Database } from "./database";
import { ENTRIES, Element } from "./element";
import { Entry } from "./entry";
import { hashOf } from "./hash";
import { TableRecord } from "./tablerecord";

/** The last word linear memory could have: eight bytes further there is never any. */
const BEYOND: usize = 0xfffffffc;
/** Lines of a bucket looked at: a chain that is longer than this leads in a circle. */
const MOST_LINES: u32 = 64;

/** Never returns: it touches memory that is not there, or comes to a place that cannot be reached. */
export function fault(kind: u32): u32 {
  if (kind != FAULT_ACCESS) unreachable();
  return load<u32>(BEYOND, 8);
}

/**
 * What `shapeOf` says of a key, from a keyspace that may be damaged: it changes nothing and always ends, by a trap maybe.
 */
export function inspect(slot: u32, key: usize, length: u32): u32 {
  const record = Database.slot(Database.selected(), slot);
  if (record == 0 || TableRecord.buckets(record) == 0) return 0;
  const hash = hashOf(key, length);
  let line = bucketOf(record, hash);
  for (let lines: u32 = 0; line != 0 && lines < MOST_LINES; lines++) {
    for (let matches = Bucket.matches(line, Bucket.tagOf(hash)); matches != 0; matches &= matches - 1) {
      const entry = Cell.element(Cell.of(line, ctz(matches)));
      if (Element.hasKey(entry, key, length, ENTRIES))
        return Entry.type(entry) | ((<u32>Entry.encoding(entry)) << 3);
    }
    line = Bucket.next(line);
  }
  return 0;
}
