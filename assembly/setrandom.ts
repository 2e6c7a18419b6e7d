// SRANDMEMBER: members by chance, which stay.
import {
  REFUSED_COUNT_RANGE,
  REFUSED_NOT_INTEGER,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_SYNTAX,
  REFUSED_WRONG_TYPE,
} from "./abi";
import { Args } from "./args";
import { lookupRead } from "./expiry";
import { parse, parsed } from "./integers";
import { LINE_ROOM, Reply, replyArray, replyNull } from "./reply";
import { Sample } from "./sample";
import { drawSample, drawToken, memberOfToken, tokenAt } from "./setdraw";
import { replyMember } from "./setmember";
import { SetValue } from "./setvalue";
import { SetWalk, replyMembers } from "./setwalk";
import { isSet } from "./sets";

/** The least bytes a member takes in a reply. */
const LEAST_REPLY: i64 = 6;
/** No reply gets longer than memory. */
const REPLY_LIMIT: i64 = 1 << 32;

/** SRANDMEMBER key [count] */
export function srandmember(): i32 {
  if (Args.count() > 3) return REFUSED_SYNTAX;
  if (Args.count() == 3 && !parse(Args.ptr(2), Args.length(2))) return REFUSED_NOT_INTEGER;
  const count = parsed;
  if (Args.count() == 3 && count == i64.MIN_VALUE) return REFUSED_COUNT_RANGE;
  const set = lookupRead(Args.slot(), Args.ptr(1), Args.length(1));
  if (set != 0 && !isSet(set)) return REFUSED_WRONG_TYPE;
  const start = Reply.written();
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  let done = true;
  if (Args.count() == 2) {
    if (set == 0) replyNull();
    else done = replyDrawn(set, 1);
  } else if (set == 0 || count == 0) {
    replyArray(0);
  } else {
    done = count < 0 ? replyRepeated(set, -count) : replyDifferent(set, count);
  }
  if (done) return 0;
  Reply.truncate(start);
  return REFUSED_OUT_OF_MEMORY;
}

/** Any members, as often as is asked for. */
function replyRepeated(set: usize, count: i64): bool {
  if (count > REPLY_LIMIT / LEAST_REPLY) return false;
  replyArray(<u32>count);
  return replyDrawn(set, <u32>count);
}

function replyDrawn(set: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    memberOfToken(set, drawToken(set));
    if (!replyMember()) return false;
  }
  return true;
}

/** So many different members, all when there are no more. */
function replyDifferent(set: usize, count: i64): bool {
  const all = SetValue.count(set);
  const size = <u32>min(count, <i64>all);
  replyArray(size);
  if (size == all) return replyMembers(set);
  // The fewer are drawn: those shown, or those left out.
  const rest = all - size;
  if (!drawSample(set, min(size, rest))) return false;
  const done = size <= rest ? replySample(set) : replyOthers(set);
  Sample.end();
  return done;
}

function replySample(set: usize): bool {
  for (let i: u32 = 0; i < Sample.count(); i++) {
    memberOfToken(set, Sample.at(i));
    if (!replyMember()) return false;
  }
  return true;
}

function replyOthers(set: usize): bool {
  for (let place = SetWalk.first(set); place != 0; place = SetWalk.next(set, place)) {
    if (!Sample.has(tokenAt(set, place)) && !replyMember()) return false;
  }
  return true;
}
