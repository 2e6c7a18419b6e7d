// A small sorted set: a listpack of pairs | member | score |, by score and then by the member's bytes, as Redis keeps it.
// A score is held as an integer where it is one, otherwise as the text of doubletext.ts.
//
// Positions are addresses of members' elements. Nothing here allocates: changes come in two steps as in listpack.ts.
import { compare } from "./bytes";
import { parseDouble, parsedDouble } from "./double";
import { renderDouble } from "./doubletext";
import { Listpack, findElement, listpackCount, replaceBytes } from "./listpack";
import {
  elementBytes,
  elementInteger,
  elementLength,
  elementPtr,
  elementSize,
  integerSize,
  readElement,
  readText,
  writeElement,
  writeInteger,
} from "./listpackelement";

/** Beyond half of the range of 64 bits Redis does not hold a score as an integer. */
const GREATEST_INTEGER: f64 = 4611686018427387904;
const TEXT: usize = memory.data(24);

export abstract class Pack {
  @inline static count(lp: usize): u32 {
    return listpackCount(lp) >> 1;
  }
  /** Where a member's score stands. */
  @inline static scoreOf(at: usize): usize {
    return Listpack.next(at);
  }
  @inline static next(at: usize): usize {
    return Listpack.next(Listpack.next(at));
  }
  @inline static previous(at: usize): usize {
    return Listpack.previous(Listpack.previous(at));
  }
}

/** Where a member stands; 0 = nowhere. */
export function findPacked(lp: usize, member: usize, length: u32): usize {
  return findElement(Listpack.first(lp), member, length, 2);
}

/** The score of the member at `at`. */
export function packedScore(at: usize): f64 {
  if (readElement(Pack.scoreOf(at))) return <f64>elementInteger;
  return parseDouble(elementPtr, elementLength) ? parsedDouble : 0;
}

/** How the member at `at` sorts against one that is given as bytes. */
export function comparePacked(at: usize, member: usize, length: u32): i32 {
  readText(at);
  return compare(elementPtr, elementLength, member, length);
}

/** Bytes the pair takes. */
export function pairSize(member: usize, length: u32, score: f64): u32 {
  return elementSize(member, length) + scoreSize(score);
}

/** Bytes of the pair at `at`. */
export function pairBytes(at: usize): u32 {
  const member = elementBytes(at);
  return member + elementBytes(at + member);
}

function scoreSize(score: f64): u32 {
  if (isInteger(score)) return integerSize(<i64>score);
  return elementSize(TEXT, renderDouble(score, TEXT));
}

function isInteger(score: f64): bool {
  return abs(score) <= GREATEST_INTEGER && trunc(score) == score;
}

/** Puts a pair, for which there is room, in its place; the member is not in the listpack. */
export function insertPair(lp: usize, member: usize, length: u32, score: f64): void {
  const at = placeFor(lp, member, length, score);
  replaceBytes(lp, at, 0, pairSize(member, length, score), 2);
  writePair(at, member, length, score);
}

/** Writes a pair at `at`, where its room is; returns where the next one goes. */
export function writePair(at: usize, member: usize, length: u32, score: f64): usize {
  const next = writeElement(at, member, length);
  if (isInteger(score)) return writeInteger(next, <i64>score);
  return writeElement(next, TEXT, renderDouble(score, TEXT));
}

/** Takes `count` pairs out, from `at` on. */
export function removePairs(lp: usize, at: usize, count: u32): void {
  let end = at;
  for (let i: u32 = 0; i < count; i++) end = Pack.next(end);
  replaceBytes(lp, at, <u32>(end - at), 0, -2 * <i32>count);
}

/** The first pair that sorts behind the given one. */
function placeFor(lp: usize, member: usize, length: u32, score: f64): usize {
  const end = Listpack.end(lp);
  let at = Listpack.first(lp);
  for (; at < end; at = Pack.next(at)) {
    const other = packedScore(at);
    if (other > score || (other == score && comparePacked(at, member, length) > 0)) break;
  }
  return at;
}
