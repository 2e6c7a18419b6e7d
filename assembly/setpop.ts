// SPOP: members by chance, which leave. Replicas are told an SREM of those members, or a DEL.
//
// Several are drawn before anything is changed, and the reply and what replicas are told are written while the set is
// still whole: memory can run out without harm.
import {
  EVENT_DEL,
  EVENT_SPOP,
  RECORDED,
  REFUSED_NOT_POSITIVE,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_SYNTAX,
  REFUSED_WRONG_TYPE,
} from "./abi";
import { Args } from "./args";
import { Entry } from "./entry";
import { Events } from "./events";
import { lookupWrite } from "./expiry";
import { free } from "./heap";
import { parse, parsed } from "./integers";
import { Intset, moveInteger } from "./intset";
import { dispose } from "./lazyfree";
import { removeDrawn } from "./members";
import { RECORD_HEAD, Record } from "./record";
import { LINE_ROOM, Reply, replyNull, replySet } from "./reply";
import { Sample } from "./sample";
import { SetBuild } from "./setbuild";
import { drawSample, drawToken, memberOfToken, tokenAt } from "./setdraw";
import { Member, replyMember } from "./setmember";
import { SetValue, removeIntegerAt, takeMember } from "./setvalue";
import { SetWalk, replyMembers } from "./setwalk";
import { isSet, tellRemoved } from "./sets";
import { removeFound, replaceFound } from "./table";
import { resizeValue } from "./value";

/** "SREM" and "DEL", as record.ts takes words. */
const SREM: u64 = 0x4d455253;
const DEL: u64 = 0x4c4544;
/** When few of many stay, Redis makes a new set of those, so the encoding is theirs. */
const FEW_STAY: i64 = 5;
/** Changes are counted up to here, below RECORDED. */
const MOST_CHANGES: i64 = 0x3fffffff;

/** SPOP key [count] */
export function spop(): i32 {
  if (Args.count() > 3) return REFUSED_SYNTAX;
  if (Args.count() == 3 && (!parse(Args.ptr(2), Args.length(2)) || parsed < 0)) return REFUSED_NOT_POSITIVE;
  const count = parsed;
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const set = lookupWrite(Args.slot(), Args.ptr(1), Args.length(1));
  if (set != 0 && !isSet(set)) return REFUSED_WRONG_TYPE;
  Record.begin();
  if (Args.count() == 2) return popOne(set);
  if (set == 0 || count == 0) {
    replySet(0);
    return 0;
  }
  const start = Reply.written();
  if (popSeveral(set, count)) return (<i32>min(count, MOST_CHANGES)) | RECORDED;
  Reply.truncate(start);
  return REFUSED_OUT_OF_MEMORY;
}

function popOne(set: usize): i32 {
  if (set == 0) {
    replyNull();
    return 0;
  }
  const token = drawToken(set);
  memberOfToken(set, token);
  if (!beginRecord(1) || !tellPopped()) return REFUSED_OUT_OF_MEMORY;
  let changed = set;
  if (SetValue.isTable(set)) free(removeDrawn(Entry.value(set)));
  else changed = removeIntegerAt(set, token - 1);
  tellRemoved(EVENT_SPOP, Args.slot(), changed, Args.ptr(1), Args.length(1));
  return 1 | RECORDED;
}

function popSeveral(set: usize, count: i64): bool {
  const all = SetValue.count(set);
  if (count >= <i64>all) return popAll(set, all);
  const size = <u32>count;
  const rest = all - size;
  if (<i64>rest * FEW_STAY > count) return popSome(set, size);
  return popMost(set, size, rest);
}

function popAll(set: usize, all: u32): bool {
  replySet(all);
  if (!replyMembers(set) || !Record.reserve(3 * RECORD_HEAD + Args.length(1))) return false;
  Record.request(2);
  Record.word(DEL);
  Record.bytes(Args.ptr(1), Args.length(1));
  Events.tell(EVENT_SPOP, Args.ptr(1), Args.length(1));
  removeFound(Args.slot());
  Events.tell(EVENT_DEL, Args.ptr(1), Args.length(1));
  return true;
}

function popSome(set: usize, size: u32): bool {
  if (!drawSample(set, size)) return false;
  const done = tellSample(set);
  if (done) {
    if (SetValue.isTable(set)) removeItems(set);
    else removeIntegers(set);
    Events.tell(EVENT_SPOP, Args.ptr(1), Args.length(1));
  }
  Sample.end();
  return done;
}

function tellSample(set: usize): bool {
  replySet(Sample.count());
  if (!beginRecord(Sample.count())) return false;
  for (let i: u32 = 0; i < Sample.count(); i++) {
    memberOfToken(set, Sample.at(i));
    if (!tellPopped()) return false;
  }
  return true;
}

function removeItems(set: usize): void {
  for (let i: u32 = 0; i < Sample.count(); i++) {
    Member.fromItem(Sample.at(i));
    assert(takeMember(set));
  }
}

function removeIntegers(entry: usize): void {
  const set = Entry.value(entry);
  const count = Intset.count(set);
  let kept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (!Sample.has(i + 1)) moveInteger(set, kept++, Intset.at(set, i));
  }
  Intset.setCount(set, kept);
  assert(resizeValue(entry, Intset.bytes(kept, Intset.width(set))) != 0);
}

/** Pops all but `rest` members, of which a new set is made. */
function popMost(set: usize, size: u32, rest: u32): bool {
  if (!drawSample(set, rest)) return false;
  const fresh = copySample(set);
  const done = fresh != 0 && tellOthers(set, size);
  Sample.end();
  if (done) {
    replaceFound(Args.slot(), fresh);
    Events.tell(EVENT_SPOP, Args.ptr(1), Args.length(1));
  } else if (fresh != 0) {
    dispose(fresh);
  }
  return done;
}

/** An entry of the members in the sample, in place of the set's; 0 = no memory. */
function copySample(set: usize): usize {
  SetBuild.begin();
  for (let i: u32 = 0; i < Sample.count(); i++) {
    memberOfToken(set, Sample.at(i));
    if (!SetBuild.add()) return 0;
  }
  return SetBuild.finish(Args.ptr(1), Args.length(1), Entry.expires(set) ? Entry.expireAt(set) : 0);
}

function tellOthers(set: usize, size: u32): bool {
  replySet(size);
  if (!beginRecord(size)) return false;
  for (let place = SetWalk.first(set); place != 0; place = SetWalk.next(set, place)) {
    if (!Sample.has(tokenAt(set, place)) && !tellPopped()) return false;
  }
  return true;
}

/** Begins the SREM of so many members that replicas are told; false = no memory. */
function beginRecord(size: u32): bool {
  if (!Record.reserve(3 * RECORD_HEAD + Args.length(1))) return false;
  Record.request(size + 2);
  Record.word(SREM);
  Record.bytes(Args.ptr(1), Args.length(1));
  return true;
}

/** Writes the member at hand into the reply and the record; false = no memory. */
function tellPopped(): bool {
  if (!Record.reserve(RECORD_HEAD + Member.length()) || !replyMember()) return false;
  Record.bytes(Member.ptr(), Member.length());
  return true;
}
