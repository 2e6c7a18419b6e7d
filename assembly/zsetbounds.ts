// Ranges of scores as requests give them, each end a number, behind `(` when it is not included, and the ranks that a
// range comes to; those of members are in zsetlex.ts.
import { Args } from "./args";
import { parseBound, parsedDouble } from "./double";
import { rankOfScore } from "./zset";

const OPEN: u8 = 0x28;

/** Ranks of the range last made: the first within, and the first behind it. */
export let firstRank: u32 = 0;
export let endRank: u32 = 0;

let lowScore: f64 = 0;
let highScore: f64 = 0;
let isLowOpen: bool = false;
let isHighOpen: bool = false;

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

/** The ranks of the range of scores in the open sorted set. */
export function scoreRanks(): void {
  setRanks(rankOfScore(lowScore, isLowOpen), rankOfScore(highScore, !isHighOpen));
}

/** A range whose end lies before its beginning is empty. */
export function setRanks(first: u32, end: u32): void {
  firstRank = first;
  endRank = max(first, end);
}
