// The commands that set, change and take out single members of a sorted set.
import {
  EVENT_DEL,
  EVENT_ZADD,
  EVENT_ZINCR,
  EVENT_ZREM,
  REFUSED_NOT_FLOAT,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_SCORE_NAN,
  REFUSED_SYNTAX,
  REFUSED_WRONG_TYPE,
  REFUSED_ZADD_INCR_PAIRS,
  REFUSED_ZADD_NX_GT_LT,
  REFUSED_ZADD_NX_XX,
} from "./abi";
import { Args, isWord } from "./args";
import { parseDouble, parsedDouble } from "./double";
import { Events } from "./events";
import { lookupWrite } from "./expiry";
import { hasRoom } from "./heap";
import { LINE_ROOM, Reply, replyDouble, replyInteger, replyNull } from "./reply";
import { find, removeFound } from "./table";
import { Members } from "./warmmembers";
import { Zset, findScore, foundScore } from "./zset";
import { addMember, changeCost, changeScore, createZset, memberCost, removeFoundMember } from "./zsetchange";

/** ZADD's options, as bits. */
const NX: u32 = 1;
const XX: u32 = 2;
const GT: u32 = 4;
const LT: u32 = 8;
const CH: u32 = 16;
const INCR: u32 = 32;

/** The sorted set at hand; 0 = there is none yet. */
let zset: usize = 0;
/** Whether the last pair did something or was what the member had already; false = an option forbade it. */
let isProcessed: bool = false;
/** The score in the request's last pair, which is the only one of most requests. */
let lastScore: f64 = 0;
/** The score the last member has. */
let newScore: f64 = 0;

/** What became of a pair. */
const NOTHING: i32 = 0;
const ADDED: i32 = 1;
const UPDATED: i32 = 2;

/** ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member … */
export function zadd(): i32 {
  return add(0);
}

/** ZINCRBY key increment member */
export function zincrby(): i32 {
  return add(INCR);
}

function add(given: u32): i32 {
  let options = given;
  let first: u32 = 2;
  for (let option = optionAt(first); option != 0; option = optionAt(++first)) options |= option;
  const refused = checkPairs(options, first);
  if (refused < 0) return refused;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  zset = lookupWrite(Args.slot(), Args.ptr(1), Args.length(1));
  if (zset != 0 && !Zset.is(zset)) return REFUSED_WRONG_TYPE;
  // One pair is all or nothing by itself.
  if (Args.count() > first + 2 && !hasRoomForPairs(first)) return REFUSED_OUT_OF_MEMORY;
  let added: i32 = 0;
  let updated: i32 = 0;
  isProcessed = false;
  for (let i = first; i < Args.count(); i += 2) {
    Members.warm(zset, first + 1, i + 1, 2);
    const done = putPair(options, i);
    if (done < 0) return done;
    if (done == ADDED) added++;
    else if (done == UPDATED) updated++;
  }
  const isIncrement = (options & INCR) != 0;
  if (added + updated != 0) Events.tell(isIncrement ? EVENT_ZINCR : EVENT_ZADD, Args.ptr(1), Args.length(1));
  if (!isIncrement) replyInteger((options & CH) != 0 ? added + updated : added);
  else if (isProcessed) replyDouble(newScore);
  else replyNull();
  return added + updated;
}

/** The option an argument is, 0 = none. */
function optionAt(index: u32): u32 {
  // Scores seldom begin with a letter.
  if (index >= Args.count() || Args.length(index) == 0 || load<u8>(Args.ptr(index)) < 65) return 0;
  if (isWord(index, "NX")) return NX;
  if (isWord(index, "XX")) return XX;
  if (isWord(index, "GT")) return GT;
  if (isWord(index, "LT")) return LT;
  if (isWord(index, "CH")) return CH;
  return isWord(index, "INCR") ? INCR : 0;
}

/** What can be said against the request without looking at the key. */
function checkPairs(options: u32, first: u32): i32 {
  const rest = Args.count() - first;
  if (rest == 0 || (rest & 1) != 0) return REFUSED_SYNTAX;
  if ((options & NX) != 0 && (options & XX) != 0) return REFUSED_ZADD_NX_XX;
  if (popcnt(options & (NX | GT | LT)) > 1) return REFUSED_ZADD_NX_GT_LT;
  if ((options & INCR) != 0 && rest > 2) return REFUSED_ZADD_INCR_PAIRS;
  for (let i = first; i < Args.count(); i += 2) {
    if (!parseDouble(Args.ptr(i), Args.length(i))) return REFUSED_NOT_FLOAT;
  }
  lastScore = parsedDouble;
  return 0;
}

/** Whether all members of the request can be added for certain. */
function hasRoomForPairs(first: u32): bool {
  let cost = changeCost(zset);
  let bytes: f64 = 0;
  for (let i = first + 1; i < Args.count(); i += 2) {
    cost += memberCost(Args.length(i));
    bytes += Args.length(i) + LINE_ROOM;
  }
  // A listpack may have to be moved with all of it, more than once.
  return hasRoom(cost, changeCost(zset) + bytes * 4);
}

/** Sets the score at argument `i` for the member behind it; returns what became of it, or a REFUSED_ code. */
function putPair(options: u32, i: u32): i32 {
  if (Args.count() != i + 2) parseDouble(Args.ptr(i), Args.length(i));
  const score = Args.count() != i + 2 ? parsedDouble : lastScore;
  const member = Args.ptr(i + 1);
  const length = Args.length(i + 1);
  if (zset != 0) {
    Zset.open(zset);
    if (findScore(member, length)) return changePair(options, member, length, score);
  }
  isProcessed = (options & XX) == 0;
  if (!isProcessed) return NOTHING;
  const isNew = zset == 0;
  const done = isNew
    ? createZset(Args.slot(), Args.ptr(1), Args.length(1), member, length, score)
    : addMember(zset, member, length, score);
  if (done == 0) return REFUSED_OUT_OF_MEMORY;
  // What was just inserted has not been found yet, as the next pair's change expects.
  if (isNew) find(Args.slot(), Args.ptr(1), Args.length(1));
  zset = done;
  newScore = score;
  return ADDED;
}

/** As `putPair`, for a member that was found. */
function changePair(options: u32, member: usize, length: u32, given: f64): i32 {
  isProcessed = (options & NX) == 0;
  if (!isProcessed) return NOTHING;
  const had = foundScore;
  const score = (options & INCR) != 0 ? had + given : given;
  if (score != score) return REFUSED_SCORE_NAN;
  isProcessed = ((options & GT) == 0 || score > had) && ((options & LT) == 0 || score < had);
  if (!isProcessed) return NOTHING;
  newScore = score;
  if (score == had) return NOTHING;
  const done = changeScore(zset, member, length, score);
  if (done == 0) return REFUSED_OUT_OF_MEMORY;
  zset = done;
  return UPDATED;
}

/** ZREM key member … */
export function zrem(): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  zset = lookupWrite(Args.slot(), Args.ptr(1), Args.length(1));
  if (zset != 0 && !Zset.is(zset)) return REFUSED_WRONG_TYPE;
  let removed: i32 = 0;
  let isEmpty = zset == 0;
  for (let i: u32 = 2; i < Args.count() && !isEmpty; i++) {
    Members.warm(zset, 2, i, 1);
    Zset.open(zset);
    if (!findScore(Args.ptr(i), Args.length(i))) continue;
    removed++;
    isEmpty = Zset.count() == 1;
    if (!isEmpty) zset = removeFoundMember(zset);
  }
  if (removed != 0) endRemoval(Args.slot(), Args.ptr(1), Args.length(1), EVENT_ZREM, isEmpty);
  replyInteger(removed);
  return removed;
}

/** Tells of members that were taken out, and deletes the key, just found, when they were the last. */
export function endRemoval(slot: u32, key: usize, length: u32, event: u32, isEmpty: bool): void {
  if (isEmpty) removeFound(slot);
  Events.tell(event, key, length);
  if (isEmpty) Events.tell(EVENT_DEL, key, length);
}
