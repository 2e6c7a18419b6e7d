// The inputs of unions, intersections and differences of sorted sets: sorted sets and plain sets, whose members all have
// the score 1, each with a weight. Whatever its kind, an input is walked, and asked for the member at hand
// (setmember.ts).
//
//   record (16 bytes): | entry u32, 0 = no such key | count u32 | weight f64 |
import { ENCODING_LISTPACK, REFUSED_OUT_OF_MEMORY, REFUSED_WRONG_TYPE, TYPE_SET, TYPE_ZSET } from "./abi";
import { Args } from "./args";
import { slotOf } from "./crc16";
import { Entry } from "./entry";
import { lookupRead } from "./expiry";
import { alloc, free } from "./heap";
import { Item } from "./item";
import { findHashed } from "./members";
import { Member } from "./setmember";
import { SetValue, hasMember } from "./setvalue";
import { SetWalk } from "./setwalk";
import { Zset, cellLength, cellMember, cellScore, nextCell, readCell, seekCell } from "./zset";
import { findPacked, packedScore } from "./zsetpack";

const RECORD_SHIFT: u32 = 4;

let records: usize = 0;
let count: u32 = 0;

/** The walk: what is walked, the place in a set, and how many cells of a sorted set are left. */
let walked: usize = 0;
let setPlace: u64 = 0;
let cellsLeft: u32 = 0;

/** The score of the member the walk is at. */
export let walkedScore: f64 = 0;
/** The score of the member at hand in the input that was asked last. */
export let askedScore: f64 = 0;

export abstract class Sources {
  @inline static count(): u32 {
    return count;
  }
  @inline static entry(index: u32): usize {
    return load<u32>(records + (index << RECORD_SHIFT));
  }
  @inline static size(index: u32): u32 {
    return load<u32>(records + (index << RECORD_SHIFT), 4);
  }
  @inline static weight(index: u32): f64 {
    return load<f64>(records + (index << RECORD_SHIFT), 8);
  }
  @inline static setWeight(index: u32, weight: f64): void {
    store<f64>(records + (index << RECORD_SHIFT), weight, 8);
  }
  static end(): void {
    free(records);
  }
}

/** Looks up `number` keys from argument `first` on; returns 0, `Sources.end` to follow, or a REFUSED_ code. */
export function gatherSources(first: u32, number: u32): i32 {
  // As much again for sorting.
  records = alloc(number << (RECORD_SHIFT + 1));
  if (records == 0) return REFUSED_OUT_OF_MEMORY;
  count = number;
  for (let i: u32 = 0; i < number; i++) {
    const key = Args.ptr(first + i);
    const length = Args.length(first + i);
    const entry = lookupRead(slotOf(key, length), key, length);
    const type = entry == 0 ? TYPE_ZSET : Entry.type(entry);
    if (type != TYPE_ZSET && type != TYPE_SET) {
      Sources.end();
      return REFUSED_WRONG_TYPE;
    }
    const at = records + (i << RECORD_SHIFT);
    store<u32>(at, <u32>entry);
    store<u32>(at, entry == 0 ? 0 : sizeOfSource(entry), 4);
    store<f64>(at, 1, 8);
  }
  return 0;
}

function sizeOfSource(entry: usize): u32 {
  if (Entry.type(entry) == TYPE_SET) return SetValue.count(entry);
  Zset.open(entry);
  return Zset.count();
}

/** Puts the inputs in the order of their sizes; equal ones stay as they are. (Sums of doubles depend on the order.) */
export function sortSources(): void {
  let from = records;
  let to = records + (count << RECORD_SHIFT);
  for (let width: u32 = 1; width < count; width <<= 1) {
    for (let low: u32 = 0; low < count; low += 2 * width) {
      mergeRuns(from, to, low, min(low + width, count), min(low + 2 * width, count));
    }
    const merged = to;
    to = from;
    from = merged;
  }
  if (from != records) memory.copy(records, from, count << RECORD_SHIFT);
}

function mergeRuns(from: usize, to: usize, low: u32, middle: u32, high: u32): void {
  let left = low;
  let right = middle;
  for (let i = low; i < high; i++) {
    const takesLeft = left < middle && (right == high || sizeAt(from, left) <= sizeAt(from, right));
    memory.copy(
      to + (i << RECORD_SHIFT),
      from + ((takesLeft ? left++ : right++) << RECORD_SHIFT),
      1 << RECORD_SHIFT,
    );
  }
}

function sizeAt(from: usize, index: u32): u32 {
  return load<u32>(from + (index << RECORD_SHIFT), 4);
}

/** Goes to the first member of an input, which becomes the member at hand; false = it has none. */
export function walkSource(index: u32): bool {
  walked = Sources.entry(index);
  if (walked == 0) return false;
  walkedScore = 1;
  if (Entry.type(walked) == TYPE_SET) {
    setPlace = SetWalk.first(walked);
    return setPlace != 0;
  }
  Zset.open(walked);
  cellsLeft = Zset.count();
  seekCell(0);
  takeCell();
  return true;
}

/** Goes to the next member; false = that was the last. */
export function walkOn(): bool {
  if (Entry.type(walked) == TYPE_SET) {
    setPlace = SetWalk.next(walked, setPlace);
    return setPlace != 0;
  }
  if (--cellsLeft == 0) return false;
  nextCell();
  takeCell();
  return true;
}

function takeCell(): void {
  readCell();
  walkedScore = cellScore;
  Member.fromText(cellMember, cellLength);
}

/** Whether an input has the member at hand; its score is left in `askedScore`. Does not disturb the walk. */
export function askSource(index: u32): bool {
  const entry = Sources.entry(index);
  if (entry == 0) return false;
  if (Entry.type(entry) == TYPE_SET) {
    askedScore = 1;
    return hasMember(entry);
  }
  const value = Entry.value(entry);
  if (Entry.encoding(entry) == ENCODING_LISTPACK) {
    const at = findPacked(value, Member.ptr(), Member.length());
    if (at != 0) askedScore = packedScore(at);
    return at != 0;
  }
  const item = findHashed(value, Member.hash(), Member.ptr(), Member.length());
  if (item != 0) askedScore = Item.score(item);
  return item != 0;
}
