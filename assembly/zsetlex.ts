// Ranges of members by their bytes: `[` or `(` and a member's bytes, or `-`, or `+`.
//
// Redis defines them for members of one score only. With others it still answers, always the same for a small sorted set:
// it goes from one end to the first member within, and on while members are within. So it is done here. Of a big one the
// ranks are searched for, and only what Redis asks before all else is the same for mixed scores.
import { Args } from "./args";
import { compare } from "./bytes";
import { Zset, cellLength, cellMember, nextCell, previousCell, rankOfLex, readCell, seekCell } from "./zset";
import { setRanks } from "./zsetbounds";

const OPEN: u8 = 0x28;
const CLOSED: u8 = 0x5b;
const LEAST: u8 = 0x2d;
const GREATEST: u8 = 0x2b;

/** Arguments of the lowest and the highest member. */
let lowMember: u32 = 0;
let highMember: u32 = 0;

/** Reads the arguments at two places as the ends of a range of members. */
export function readLexBounds(low: u32, high: u32): bool {
  lowMember = low;
  highMember = high;
  return isLexBound(low) && isLexBound(high);
}

function isLexBound(index: u32): bool {
  const length = Args.length(index);
  if (length == 0) return false;
  const ptr = Args.ptr(index);
  const head = load<u8>(ptr);
  if (head == OPEN || head == CLOSED) return true;
  return (head == LEAST || head == GREATEST) && (length == 1 || load<u8>(ptr, 1) == 0);
}

/**
 * Sets the ranks of the range of members in the open sorted set.
 * @param isReverse the walk begins at the greatest member
 * @param skipped so many members at the beginning of the walk are left out, at least 0
 */
export function lexRanks(isReverse: bool, skipped: i64): void {
  setRanks(0, 0);
  if (isEmptyRange() || !isReached()) return;
  if (Zset.isPacked()) {
    if (isReverse) walkBackward(skipped);
    else walkForward(skipped);
    return;
  }
  const first = lexRank(lowMember, OPEN);
  const end = max(first, lexRank(highMember, CLOSED));
  const left = <u32>min(skipped, <i64>(end - first));
  if (isReverse) setRanks(first, end - left);
  else setRanks(first + left, end);
}

/** Members before a bound; `past` is the mark that counts the bound itself among them. */
function lexRank(index: u32, past: u8): u32 {
  const ptr = Args.ptr(index);
  const head = load<u8>(ptr);
  if (head == LEAST) return 0;
  if (head == GREATEST) return Zset.count();
  return rankOfLex(ptr + 1, Args.length(index) - 1, head == past);
}

/** Whether nothing can be within, whatever the sorted set holds. */
function isEmptyRange(): bool {
  const low = Args.ptr(lowMember);
  const high = Args.ptr(highMember);
  const lowHead = load<u8>(low);
  const highHead = load<u8>(high);
  if (lowHead == GREATEST || highHead == LEAST) return true;
  if (lowHead == LEAST || highHead == GREATEST) return false;
  const order = compare(low + 1, Args.length(lowMember) - 1, high + 1, Args.length(highMember) - 1);
  return order > 0 || (order == 0 && (lowHead == OPEN || highHead == OPEN));
}

/** Whether the last member is not below the range, and the first not above it. */
function isReached(): bool {
  const count = Zset.count();
  if (count == 0) return false;
  goTo(count - 1);
  if (!isAboveLow()) return false;
  goTo(0);
  return isBelowHigh();
}

function goTo(rank: u32): void {
  seekCell(rank);
  readCell();
}

/** Whether the member at hand is not below the range. */
function isAboveLow(): bool {
  const ptr = Args.ptr(lowMember);
  const head = load<u8>(ptr);
  if (head == LEAST || head == GREATEST) return head == LEAST;
  const order = compare(cellMember, cellLength, ptr + 1, Args.length(lowMember) - 1);
  return head == OPEN ? order > 0 : order >= 0;
}

/** Whether the member at hand is not above the range. */
function isBelowHigh(): bool {
  const ptr = Args.ptr(highMember);
  const head = load<u8>(ptr);
  if (head == LEAST || head == GREATEST) return head == GREATEST;
  const order = compare(cellMember, cellLength, ptr + 1, Args.length(highMember) - 1);
  return head == OPEN ? order < 0 : order <= 0;
}

/** From the first member that is not below the range, if it is within, on to the first above it. */
function walkForward(skipped: i64): void {
  const count = Zset.count();
  let rank: u32 = 0;
  for (goTo(0); !isAboveLow(); readCell()) {
    rank++; // the last member is not below
    nextCell();
  }
  if (!isBelowHigh() || skipped >= <i64>(count - rank)) return;
  // What is left out is not looked at.
  const first = rank + <u32>skipped;
  rank = first;
  for (goTo(rank); isBelowHigh(); readCell()) {
    if (++rank == count) break;
    nextCell();
  }
  setRanks(first, rank);
}

/** From the last member that is not above the range, if it is within, back to the first below it. */
function walkBackward(skipped: i64): void {
  let end = Zset.count();
  for (goTo(end - 1); !isBelowHigh(); readCell()) {
    end--; // the first member is not above
    previousCell();
  }
  if (!isAboveLow() || skipped >= <i64>end) return;
  end -= <u32>skipped;
  let rank = end;
  for (goTo(rank - 1); isAboveLow(); readCell()) {
    if (--rank == 0) break;
    previousCell();
  }
  setRanks(rank, end);
}
