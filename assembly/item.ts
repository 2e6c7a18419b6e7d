// An item: one member of a set, field of a hash or member of a sorted set that has outgrown the small encodings; one
// block of the heap.
//
//   | key length, 1 or 5 bytes | key bytes | payload |
//
//   a length: | n u8 | below 255, else | 255 u8 | n u32 |
//   payload: of a set nothing; of a sorted set its score f64; of a hash | value length, 1 or 5 bytes | value bytes |
//
// Keys stand alike in all of them, so one hashtable serves all.
import { Bytes, equal } from "./bytes";
import { alloc } from "./heap";

const LONG: u32 = 255;

export abstract class Item {
  @inline static keyLength(item: usize): u32 {
    return Length.read(item);
  }
  @inline static key(item: usize): usize {
    return item + Length.size(load<u8>(item));
  }
  @inline static payload(item: usize): usize {
    return Item.key(item) + Item.keyLength(item);
  }
  @inline static hasKey(item: usize, key: usize, length: u32): bool {
    return Item.keyLength(item) == length && equal(Item.key(item), key, length);
  }
  /** Of an item of a sorted set. */
  @inline static score(item: usize): f64 {
    return load<f64>(Item.payload(item));
  }
  @inline static setScore(item: usize, score: f64): void {
    store<f64>(Item.payload(item), score);
  }
  /** Of an item of a hash. */
  @inline static valueLength(item: usize): u32 {
    return Length.read(Item.payload(item));
  }
  @inline static value(item: usize): usize {
    const payload = Item.payload(item);
    return payload + Length.size(load<u8>(payload));
  }
}

/** Lengths as items hold them. */
export abstract class Length {
  /** Bytes the length `n` takes; as well of its first byte. */
  @inline static size(n: u32): u32 {
    return n < LONG ? 1 : 5;
  }
  @inline static read(at: usize): u32 {
    const short = <u32>load<u8>(at);
    return short != LONG ? short : load<u32>(at, 1);
  }
  /** Writes a length; returns where it ends. */
  @inline static write(at: usize, n: u32): usize {
    if (n < LONG) {
      store<u8>(at, <u8>n);
      return at + 1;
    }
    store<u8>(at, <u8>LONG);
    store<u32>(at, n, 1);
    return at + 5;
  }
}

/** Bytes an item takes. */
export function itemSize(keyLength: u32, payloadLength: u32): u32 {
  return Length.size(keyLength) + keyLength + payloadLength;
}

/** A new item, its payload for the caller to write; 0 = no memory. */
export function createItem(key: usize, keyLength: u32, payloadLength: u32): usize {
  const item = alloc(itemSize(keyLength, payloadLength));
  if (item == 0) return 0;
  Bytes.copy(Length.write(item, keyLength), key, keyLength);
  return item;
}
