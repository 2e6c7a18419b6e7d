// The hashtables of big collections: every item in the bucket of its hash, under its tag, once, and lines without gaps.
import { Bucket, LANES, bucketAt, bucketOf } from "../bucket";
import { hashOf } from "../hash";
import { sizeOf } from "../heap";
import { Item, Length, itemSize } from "../item";
import { TableRecord } from "../tablerecord";
import { assertBlock } from "./checkheap";

/**
 * @param payload bytes behind each key
 * @param hasValues whether it is a value of its own length instead: of a hash
 */
export function checkTable(record: usize, payload: u32, hasValues: bool): void {
  let count: u32 = 0;
  for (let i: u32 = 0; i < TableRecord.buckets(record); i++) {
    const first = bucketAt(record, i);
    for (let line = first; line != 0; line = Bucket.next(line)) {
      if (line != first) assertBlock(line);
      const taken = Bucket.taken(line);
      assert((taken & (taken + 1)) == 0, "a line has a gap");
      assert(Bucket.next(line) == 0 || taken == LANES, "a line that is not full has one behind it");
      assert(line == first || taken != 0, "a line without elements");
      for (let left = taken; left != 0; left &= left - 1) {
        const index = <u32>ctz(left);
        checkItem(record, first, Bucket.entry(line, index), Bucket.tag(line, index), payload, hasValues);
        count++;
      }
    }
  }
  assert(count == TableRecord.count(record), "the count of a table is wrong");
}

function checkItem(record: usize, first: usize, item: usize, tag: u8, payload: u32, hasValues: bool): void {
  assertBlock(item);
  const length = Item.keyLength(item);
  let bytes = payload;
  if (hasValues) bytes = Length.size(Item.valueLength(item)) + Item.valueLength(item);
  assert(<u64>itemSize(length, bytes) <= <u64>sizeOf(item), "an item is longer than its block");
  const hash = hashOf(Item.key(item), length);
  assert(bucketOf(record, hash) == first, "an item stands in another's bucket");
  assert(Bucket.tagOf(hash) == tag, "an item's tag is not of its hash");
  let seen: u32 = 0;
  for (let line = first; line != 0; line = Bucket.next(line))
    for (let same = Bucket.matches(line, tag); same != 0; same &= same - 1)
      seen += u32(Item.hasKey(Bucket.entry(line, ctz(same)), Item.key(item), length));
  assert(seen == 1, "a member is in its table twice");
}
