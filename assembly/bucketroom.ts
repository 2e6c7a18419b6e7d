// The room a table's buckets stand in: one block while they are few, segments later, so that no step copies more than
// 32 KiB (the directory of a million buckets excepted, which is 16 KiB).
import { Bucket, LINE, SEGMENT, SEGMENTED, SEGMENT_SHIFT } from "./bucket";
import { alloc, free, resize, roundUp, sizeOf } from "./heap";
import { TableRecord } from "./tablerecord";

/** So many stand in one block at most. */
const BLOCK_BUCKETS: u32 = 512;

/** The first bucket of a table that has none. */
export function firstBucket(record: usize): bool {
  const root = alloc(LINE);
  if (root == 0) return false;
  Bucket.clear(root);
  TableRecord.setRoot(record, root);
  TableRecord.setBuckets(record, 1);
  return true;
}

/** Sees to it that bucket `index`, the first beyond the table, has its line. */
export function makeRoom(record: usize, index: u32): bool {
  const root = TableRecord.root(record);
  if ((root & SEGMENTED) != 0) {
    if ((index & (SEGMENT - 1)) != 0) return true;
    return addSegment(record, root - SEGMENTED, index >> SEGMENT_SHIFT);
  }
  if (sizeOf(root) >= (index + 1) << 6) return true;
  if (index < BLOCK_BUCKETS) {
    const moved = resize(root, index << 6, (index + 1) << 6);
    if (moved == 0) return false;
    TableRecord.setRoot(record, moved);
    return true;
  }
  return makeSegments(record, root);
}

function makeSegments(record: usize, root: usize): bool {
  const directory = alloc(64);
  const first = alloc(SEGMENT << 6);
  const second = alloc(SEGMENT << 6);
  const third = alloc(SEGMENT << 6);
  if (directory == 0 || first == 0 || second == 0 || third == 0) {
    if (directory != 0) free(directory);
    if (first != 0) free(first);
    if (second != 0) free(second);
    if (third != 0) free(third);
    return false;
  }
  memory.copy(first, root, SEGMENT << 6);
  memory.copy(second, root + (SEGMENT << 6), SEGMENT << 6);
  store<u32>(directory, <u32>first);
  store<u32>(directory, <u32>second, 4);
  store<u32>(directory, <u32>third, 8);
  free(root);
  TableRecord.setRoot(record, directory | SEGMENTED);
  return true;
}

function addSegment(record: usize, directory: usize, index: u32): bool {
  const segment = alloc(SEGMENT << 6);
  if (segment == 0) return false;
  let place = directory;
  const room = sizeOf(directory);
  if (room < (index + 1) << 2) {
    place = resize(directory, index << 2, room << 1);
    if (place == 0) {
      free(segment);
      return false;
    }
    TableRecord.setRoot(record, place | SEGMENTED);
  }
  store<u32>(place + (index << 2), <u32>segment);
  return true;
}

/** Gives back the room of buckets beyond the first `buckets`, once it is worth the copying. */
export function releaseRoom(record: usize, buckets: u32): void {
  const root = TableRecord.root(record);
  if ((root & SEGMENTED) == 0) {
    const size = buckets << 6;
    if (sizeOf(root) <= size + (size >> 2) + LINE || roundUp(size) == sizeOf(root)) return;
    const moved = resize(root, size, size);
    if (moved != 0) TableRecord.setRoot(record, moved);
    return;
  }
  if ((buckets & (SEGMENT - 1)) != 0) return;
  const directory = root - SEGMENTED;
  free(load<u32>(directory + ((buckets >> SEGMENT_SHIFT) << 2)));
  if (buckets == SEGMENT) {
    TableRecord.setRoot(record, load<u32>(directory));
    free(directory);
  }
}

/** Gives back all buckets; their chains have no further lines any more. */
export function releaseBuckets(record: usize): void {
  const root = TableRecord.root(record);
  if (root == 0) return;
  if ((root & SEGMENTED) != 0) {
    const segments = (TableRecord.buckets(record) + SEGMENT - 1) >> SEGMENT_SHIFT;
    for (let i: u32 = 0; i < segments; i++) free(load<u32>(root - SEGMENTED + (i << 2)));
    free(root - SEGMENTED);
  } else {
    free(root);
  }
  TableRecord.setRoot(record, 0);
  TableRecord.setBuckets(record, 0);
}
