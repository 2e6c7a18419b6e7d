// What a hashtable is known by: one record of 16 bytes, of which the keyspace has one per slot and a big set, hash or
// sorted set has one as its value. It may lie at any address.
//
//   | root u32 | count u32 | buckets u32 | spare u32 |
//
//   root: where the buckets stand, as bucket.ts has it; 0 = there are none
//   spare: of a slot how many of its keys expire; of a collection for its own use

/** Bytes of a record. */
export const TABLE_RECORD: u32 = 16;

export abstract class TableRecord {
  @inline static root(record: usize): usize {
    return load<u32>(record);
  }
  @inline static setRoot(record: usize, root: usize): void {
    store<u32>(record, <u32>root);
  }
  /** How many elements the table holds. */
  @inline static count(record: usize): u32 {
    return load<u32>(record, 4);
  }
  @inline static setCount(record: usize, count: u32): void {
    store<u32>(record, count, 4);
  }
  @inline static buckets(record: usize): u32 {
    return load<u32>(record, 8);
  }
  @inline static setBuckets(record: usize, count: u32): void {
    store<u32>(record, count, 8);
  }
  @inline static spare(record: usize): u32 {
    return load<u32>(record, 12);
  }
  @inline static setSpare(record: usize, value: u32): void {
    store<u32>(record, value, 12);
  }
}
