// Members of the open sorted set as replies: alone, or with their scores, which follow them in RESP2 and form arrays of
// two with them in RESP3.
import { REFUSED_OUT_OF_MEMORY, STATE_PROTOCOL } from "./abi";
import { LINE_ROOM, Reply, replyArray, replyBulk, replyDouble } from "./reply";
import { cellLength, cellMember, cellScore, nextCell, previousCell, readCell, seekCell } from "./zset";

/** Whether pairs are arrays of their own. */
export function pairsAreNested(): bool {
  return load<u32>(STATE_PROTOCOL) == 3;
}

/** `count` members from a rank on, as an array. Returns 0 or a REFUSED_ code. */
export function replyCells(from: u32, count: u32, isReverse: bool, withScores: bool): i32 {
  const start = Reply.written();
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const isNested = withScores && pairsAreNested();
  replyArray(withScores && !isNested ? count << 1 : count);
  if (replyElements(from, count, isReverse, withScores, isNested)) return 0;
  Reply.truncate(start);
  return REFUSED_OUT_OF_MEMORY;
}

/** The elements of such an array. False = no memory. */
export function replyElements(
  from: u32,
  count: u32,
  isReverse: bool,
  withScores: bool,
  isNested: bool,
): bool {
  if (count != 0) seekCell(from);
  for (let left = count; left > 0; left--) {
    if (!replyCell(withScores, isNested)) return false;
    if (left == 1) break;
    if (isReverse) previousCell();
    else nextCell();
  }
  return true;
}

/** The member at hand. False = no memory. */
export function replyCell(withScores: bool, isNested: bool): bool {
  readCell();
  if (!Reply.reserve(cellLength + 3 * LINE_ROOM)) return false;
  if (isNested) replyArray(2);
  replyBulk(cellMember, cellLength);
  if (withScores) replyDouble(cellScore);
  return true;
}
