// What several sorted sets make together. The result is gathered by member first and put in order in the end.
import { Item } from "./item";
import { Member } from "./setmember";
import { addSought, dropSought, seekResult, settleResult } from "./zsetresult";
import { Result } from "./zsetresult";
import { Sources, askSource, askedScore, walkOn, walkSource, walkedScore } from "./zsetsources";

/** How the scores of one member become one. */
export const AGGREGATE_SUM: u32 = 0;
export const AGGREGATE_MIN: u32 = 1;
export const AGGREGATE_MAX: u32 = 2;

/** Two scores put together. Infinities of both signs add up to 0. */
function combine(score: f64, other: f64, aggregate: u32): f64 {
  if (aggregate == AGGREGATE_MIN) return other < score ? other : score;
  if (aggregate == AGGREGATE_MAX) return other > score ? other : score;
  return orZero(score + other);
}

function orZero(score: f64): f64 {
  return score == score ? score : 0;
}

function seekMember(): usize {
  return seekResult(Member.hash(), Member.ptr(), Member.length());
}

/** All members of any input. False = no memory. */
export function unite(aggregate: u32): bool {
  for (let i: u32 = 0; i < Sources.count(); i++) {
    const weight = Sources.weight(i);
    for (let goesOn = walkSource(i); goesOn; goesOn = walkOn()) {
      const score = orZero(walkedScore * weight);
      const item = seekMember();
      if (item != 0) Item.setScore(item, combine(Item.score(item), score, aggregate));
      else if (!addSought(Member.ptr(), Member.length(), score)) return false;
    }
  }
  return settleResult();
}

/** The members of the first, which is the smallest, that all others have. False = no memory. */
export function intersect(aggregate: u32): bool {
  for (let goesOn = walkSource(0); goesOn; goesOn = walkOn()) {
    let score = orZero(walkedScore * Sources.weight(0));
    let i: u32 = 1;
    for (; i < Sources.count() && askSource(i); i++) {
      score = combine(score, askedScore * Sources.weight(i), aggregate);
    }
    if (i != Sources.count()) continue;
    assert(seekMember() == 0);
    if (!addSought(Member.ptr(), Member.length(), score)) return false;
  }
  return settleResult();
}

/** How many members all have, counted up to a limit; 0 = without. */
export function intersectionSize(limit: i64): u32 {
  let size: u32 = 0;
  for (let goesOn = walkSource(0); goesOn; goesOn = walkOn()) {
    let i: u32 = 1;
    while (i < Sources.count() && askSource(i)) i++;
    if (i == Sources.count()) size++;
    if (limit != 0 && <i64>size == limit) break;
  }
  return size;
}

/** The members of the first that no other has. False = no memory. */
export function subtract(): bool {
  let others: u64 = 0;
  for (let i: u32 = 0; i < Sources.count(); i++) others += Sources.size(i);
  // Looking for each member in all others, or taking the others' members out of a copy: whichever is less work.
  const done = (<u64>Sources.size(0) * Sources.count()) >> 1 <= others ? subtractEach() : subtractAll();
  return done && settleResult();
}

function subtractEach(): bool {
  for (let goesOn = walkSource(0); goesOn; goesOn = walkOn()) {
    let i: u32 = 1;
    while (i < Sources.count() && !askSource(i)) i++;
    if (i != Sources.count()) continue;
    assert(seekMember() == 0);
    if (!addSought(Member.ptr(), Member.length(), walkedScore)) return false;
  }
  return true;
}

function subtractAll(): bool {
  for (let goesOn = walkSource(0); goesOn; goesOn = walkOn()) {
    assert(seekMember() == 0);
    if (!addSought(Member.ptr(), Member.length(), walkedScore)) return false;
  }
  for (let i: u32 = 1; i < Sources.count() && Result.count() != 0; i++) {
    for (let goesOn = walkSource(i); goesOn; goesOn = walkOn()) {
      if (seekMember() != 0) dropSought();
    }
  }
  return true;
}
