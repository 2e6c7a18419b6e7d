// Visiting every item of a table that does not change meanwhile:
//
//   for (let place = Walk.first(record); place != 0; place = Walk.next(record, place)) … Walk.item(place)
//
// A place is | index of the bucket, 32 bits | address of the cell, 32 bits |: a walk keeps no state of its own, so that
// walks may be nested.
import { BUCKET_ENTRIES, Bucket, LINE, SEGMENTED, TAGS, bucketAt } from "./bucket";
import { Cell } from "./chain";
import { sizeOf } from "./heap";
import { TableRecord } from "./tablerecord";

export abstract class Walk {
  @inline static item(place: u64): usize {
    return Cell.element(<u32>place);
  }
  /** 0 = the table is empty. */
  @inline static first(record: usize): u64 {
    return bucketFrom(record, 0);
  }
  /** 0 = that was the last. */
  @inline static next(record: usize, place: u64): u64 {
    const cell = <usize>(<u32>place) + 4;
    const index = Cell.index(cell);
    // A line has no gaps before its end.
    if (index < BUCKET_ENTRIES && load<u8>(Cell.line(cell) + index, TAGS) != 0) return place + 4;
    return nextLine(record, place);
  }
}

function nextLine(record: usize, place: u64): u64 {
  const line = Bucket.next(Cell.line(<u32>place));
  if (line == 0) return bucketFrom(record, <u32>(place >> 32) + 1);
  touch(line);
  return (place & 0xffffffff00000000) | line;
}

/** The first place in bucket `index` or a later one. */
function bucketFrom(record: usize, index: u32): u64 {
  const buckets = TableRecord.buckets(record);
  for (let at = index; at < buckets; at++) {
    const line = bucketAt(record, at);
    if (load<u8>(line, TAGS) == 0) continue;
    touch(line);
    return ((<u64>at) << 32) | line;
  }
  return 0;
}

/** Where `touch` leaves what it read, or it would be optimised away. */
const TOUCHED: usize = memory.data(8);

/** Reads a word of each item of a line, so that the waits for memory pass at the same time. */
function touch(line: usize): void {
  let seen: u32 = 0;
  for (let i: u32 = 0; i < BUCKET_ENTRIES && load<u8>(line + i, TAGS) != 0; i++)
    seen ^= load<u32>(Bucket.entry(line, i));
  store<u32>(TOUCHED, seen);
}

/**
 * Bytes a table takes beside its record.
 * @param samples so many items at least are looked at, and the rest taken to be like them; 0 = all
 */
export function memberBytes(record: usize, samples: u32): f64 {
  const buckets = TableRecord.buckets(record);
  if (buckets == 0) return 0;
  let seen: u32 = 0;
  let bytes: f64 = 0;
  for (let i: u32 = 0; i < buckets && (samples == 0 || seen < samples); i++) {
    const first = bucketAt(record, i);
    for (let line = first; line != 0; line = Bucket.next(line)) {
      if (line != first) bytes += LINE;
      for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1) {
        bytes += sizeOf(Bucket.entry(line, ctz(taken)));
        seen++;
      }
    }
  }
  if (seen != 0) bytes *= <f64>TableRecord.count(record) / <f64>seen;
  const root = TableRecord.root(record);
  if ((root & SEGMENTED) == 0) return bytes + sizeOf(root);
  return bytes + <f64>buckets * LINE + sizeOf(root - SEGMENTED);
}
