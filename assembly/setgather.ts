// The sets a command of several sets works on: the addresses of their entries, 0 for a key that is not there. They are
// good until the keyspace changes.
//
// All keys are looked up before anything is done, so that one of another type refuses the command whatever the rest is.
import { REFUSED_OUT_OF_MEMORY, REFUSED_WRONG_TYPE, TYPE_SET } from "./abi";
import { Args } from "./args";
import { slotOf } from "./crc16";
import { Entry } from "./entry";
import { lookupRead } from "./expiry";
import { alloc, free } from "./heap";
import { SetValue } from "./setvalue";

let sets: usize = 0;
let count: u32 = 0;

export abstract class Sets {
  @inline static count(): u32 {
    return count;
  }
  @inline static at(index: u32): usize {
    return load<u32>(sets + (index << 2));
  }
  static end(): void {
    free(sets);
  }
  /** Members of set number `index`. */
  static size(index: u32): u32 {
    const set = Sets.at(index);
    return set == 0 ? 0 : SetValue.count(set);
  }
  /** How many are there. */
  static present(): u32 {
    let present: u32 = 0;
    for (let i: u32 = 0; i < count; i++) present += u32(Sets.at(i) != 0);
    return present;
  }
  /** Members of all together. */
  static total(): u64 {
    let total: u64 = 0;
    for (let i: u32 = 0; i < count; i++) total += Sets.size(i);
    return total;
  }
  /** The set with the fewest members, an absent one first of all. */
  static smallest(): usize {
    let least: u32 = 0;
    for (let i: u32 = 1; i < count; i++) {
      if (Sets.size(i) < Sets.size(least)) least = i;
    }
    return Sets.at(least);
  }
}

/** Looks up `number` keys from argument `first` on; returns 0, `Sets.end` to follow, or a REFUSED_ code. */
export function gatherSets(first: u32, number: u32): i32 {
  sets = alloc(number << 2);
  if (sets == 0) return REFUSED_OUT_OF_MEMORY;
  count = number;
  for (let i: u32 = 0; i < number; i++) {
    const key = Args.ptr(first + i);
    const length = Args.length(first + i);
    const set = lookupRead(slotOf(key, length), key, length);
    if (set != 0 && Entry.type(set) != TYPE_SET) {
      Sets.end();
      return REFUSED_WRONG_TYPE;
    }
    store<u32>(sets + (i << 2), <u32>set);
  }
  return 0;
}
