// What hashtables hold: entries of the keyspace, or items of a collection. Tables are one implementation for both; this
// is the difference. Callers pass ENTRIES or ITEMS as a constant, so that the choice costs nothing where it is inlined.
import { Entry } from "./entry";
import { hashOf } from "./hash";
import { Item } from "./item";

export const ENTRIES: bool = false;
export const ITEMS: bool = true;

export abstract class Element {
  @inline static hasKey(element: usize, key: usize, length: u32, isItem: bool): bool {
    return isItem ? Item.hasKey(element, key, length) : Entry.hasKey(element, key, length);
  }
  @inline static hash(element: usize, isItem: bool): u64 {
    if (isItem) return hashOf(Item.key(element), Item.keyLength(element));
    return hashOf(Entry.key(element), Entry.keyLength(element));
  }
}
