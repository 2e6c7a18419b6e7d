// Ranges of a sorted set as requests give them, by score or by member, and the ranks they come to.
//
//   a score: a number, behind `(` when it is not included        a member: `[` or `(` and its bytes, or `-`, or `+`
import { Args } from "./args";
import { parseBound, parsedDouble } from "./double";
import { Zset, rankOfLex, rankOfScore } from "./zset";

const OPEN: u8 = 0x28;
const CLOSED: u8 = 0x5b;
const LEAST: u8 = 0x2d;
const GREATEST: u8 = 0x2b;

/** Ranks of the range last made: the first within, and the first behind it. */
export let firstRank: u32 = 0;
export let endRank: u32 = 0;

let lowScore: f64 = 0;
let highScore: f64 = 0;
let isLowOpen: bool = false;
let isHighOpen: bool = false;
/** Arguments of the lowest and the highest member. */
let lowMember: u32 = 0;
let highMember: u32 = 0;

/** Reads the arguments at two places as the ends of a range of scores. */
export function readScoreBounds(low: u32, high: u32): bool {
  isLowOpen = isOpen(low);
  if (!readScore(low, isLowOpen)) return false;
  lowScore = parsedDouble;
  isHighOpen = isOpen(high);
  if (!readScore(high, isHighOpen)) return false;
  highScore = parsedDouble;
  return true;
}

function isOpen(index: u32): bool {
  return Args.length(index) != 0 && load<u8>(Args.ptr(index)) == OPEN;
}

function readScore(index: u32, isPrefixed: bool): bool {
  const skipped = u32(isPrefixed);
  return parseBound(Args.ptr(index) + skipped, Args.length(index) - skipped);
}

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

/** The ranks of the range of scores in the open sorted set. */
export function scoreRanks(): void {
  setRanks(rankOfScore(lowScore, isLowOpen), rankOfScore(highScore, !isHighOpen));
}

/** The ranks of the range of members in the open sorted set. */
export function lexRanks(): void {
  setRanks(lexRank(lowMember, OPEN), lexRank(highMember, CLOSED));
}

/** Members before a bound; `past` is the mark that counts the bound itself among them. */
function lexRank(index: u32, past: u8): u32 {
  const ptr = Args.ptr(index);
  const head = load<u8>(ptr);
  if (head == LEAST) return 0;
  if (head == GREATEST) return Zset.count();
  return rankOfLex(ptr + 1, Args.length(index) - 1, head == past);
}

/** A range whose end lies before its beginning is empty. */
function setRanks(first: u32, end: u32): void {
  firstRank = first;
  endRank = max(first, end);
}
