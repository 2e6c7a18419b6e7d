// Walking one hashtable in steps while it grows and shrinks between them, so that nothing is missed that is there all
// along. (Something may be met twice.)
//
// A table of n buckets, p the greatest power of two <= n, splits its keys into p families by the low bits of their
// hash: family i is bucket i, and bucket i + p where that exists. Families are visited in the order of their bits
// reversed (0, p/2, p/4, 3p/4 ...): the highest bit is counted first. When p doubles, each family falls into two that
// stand next to each other in the new order; when p halves, two such become one. So what lies before the cursor stays
// before it, however the table grows or shrinks.
import { bucketAt } from "./bucket";
import { TableRecord } from "./tablerecord";

/** The family after this one of a table that has buckets; 0 = it was the last. */
export function nextFamily(record: usize, family: u32): u32 {
  const high: u32 = 0x80000000 >> clz(TableRecord.buckets(record));
  let bit = high >> 1;
  let next = family & (high - 1);
  // Adds one to a number whose bits are read from the highest of the table's down.
  while ((next & bit) != 0) {
    next ^= bit;
    bit >>= 1;
  }
  return next | bit;
}

/** The first line of a family's first bucket. */
export function firstOfFamily(record: usize, family: u32): usize {
  const high: u32 = 0x80000000 >> clz(TableRecord.buckets(record));
  return bucketAt(record, family & (high - 1));
}

/** The first line of a family's second bucket; 0 = it has none. */
export function secondOfFamily(record: usize, family: u32): usize {
  const buckets = TableRecord.buckets(record);
  const high: u32 = 0x80000000 >> clz(buckets);
  const index = (family & (high - 1)) + high;
  return index < buckets ? bucketAt(record, index) : 0;
}
