// Cache lines of twelve elements (entries of the keyspace, or items of a collection), and which of a table's buckets a
// key lives in.
//
//   bucket (64 bytes): | 12 elements u32 | 12 tags u8 | next u32 |
//   tag: 0 = free, otherwise 7 bits of the key's hash; bit 7 = the entry has an expiry
//
// One SIMD instruction compares all tags of a line, so a look-up touches the table's record, one line and one element.
// Elements beyond twelve go to further lines, chained by `next` and kept dense: only the last has gaps at its end.
//
// Buckets stand in one block while they are few (the table's `root` points to it), later in segments of 256: `root` then
// points to the directory of segments, lowest bit set as a mark.
import { TableRecord } from "./tablerecord";

export const BUCKET_ENTRIES: u32 = 12;
export const LINE: u32 = 64;
export const TAGS: usize = 48;
export const NEXT: usize = 60;
export const LANES: i32 = 0xfff;
export const EXPIRING_TAG: u8 = 0x80;

export const SEGMENT_SHIFT: u32 = 8;
export const SEGMENT: u32 = 1 << SEGMENT_SHIFT;
export const SEGMENTED: usize = 1;

export abstract class Bucket {
  @inline static entry(bucket: usize, index: u32): usize {
    return load<u32>(bucket + (index << 2));
  }
  @inline static tag(bucket: usize, index: u32): u8 {
    return load<u8>(bucket + index, TAGS);
  }
  @inline static next(bucket: usize): usize {
    return load<u32>(bucket, NEXT);
  }
  @inline static put(bucket: usize, index: u32, entry: usize, tag: u8): void {
    store<u32>(bucket + (index << 2), <u32>entry);
    store<u8>(bucket + index, tag, TAGS);
  }
  @inline static clear(bucket: usize): void {
    store<u64>(bucket, 0, TAGS);
    store<u64>(bucket, 0, TAGS + 8);
  }
  /** Bit n set where tag n is this one. */
  @inline static matches(bucket: usize, tag: u8): i32 {
    const tags = v128.and(v128.load(bucket, TAGS), i8x16.splat(0x7f));
    return i8x16.bitmask(i8x16.eq(tags, i8x16.splat(<i8>tag))) & LANES;
  }
  /** Bit n set where place n is taken. */
  @inline static taken(bucket: usize): i32 {
    return ~i8x16.bitmask(i8x16.eq(v128.load(bucket, TAGS), i8x16.splat(0))) & LANES;
  }
  /** Bit n set where entry n has an expiry. */
  @inline static expiring(bucket: usize): i32 {
    return i8x16.bitmask(v128.load(bucket, TAGS)) & LANES;
  }
  @inline static tagOf(hash: u64): u8 {
    const tag = <u8>(hash >> 57);
    return tag == 0 ? 1 : tag;
  }
}

/** Bucket number `index` of a table. */
export function bucketAt(record: usize, index: u32): usize {
  const root = TableRecord.root(record);
  if ((root & SEGMENTED) == 0) return root + (index << 6);
  const segment = <usize>load<u32>(root - SEGMENTED + ((index >> SEGMENT_SHIFT) << 2));
  return segment + ((index & (SEGMENT - 1)) << 6);
}

abstract class Address {
  @inline static of(hash: u64, buckets: u32): u32 {
    const half: u32 = 0x80000000 >> clz(buckets);
    const index = (<u32>hash) & (2 * half - 1);
    return index < buckets ? index : index & (half - 1);
  }
}

/** The bucket a key of this hash lives in. */
export function bucketOf(record: usize, hash: u64): usize {
  return bucketAt(record, Address.of(hash, TableRecord.buckets(record)));
}
