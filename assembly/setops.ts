// SINTER, SUNION, SDIFF, what they are like as STORE, and SINTERCARD.
import {
  EVENT_DEL,
  EVENT_SDIFFSTORE,
  EVENT_SINTERSTORE,
  EVENT_SUNIONSTORE,
  REFUSED_NUMKEYS_NOT_POSITIVE,
  REFUSED_NUMKEYS_TOO_MANY,
  REFUSED_NEGATIVE_LIMIT,
  REFUSED_OUT_OF_MEMORY,
  REFUSED_SYNTAX,
  STATE_DB,
} from "./abi";
import { placeIn } from "./access";
import { Args, isWord } from "./args";
import { NOT_OPEN, closeWithSet, openReply } from "./deferred";
import { Events } from "./events";
import { lookupWrite } from "./expiry";
import { parse, parsed } from "./integers";
import { dispose } from "./lazyfree";
import { LINE_ROOM, Reply, replyInteger, replySet } from "./reply";
import {
  INTO_NOTHING,
  INTO_REPLY,
  INTO_SET,
  foundMembers,
  intersect,
  isFirstSmall,
  subtractAll,
  subtractEach,
  unite,
} from "./setalgebra";
import { SetBuild } from "./setbuild";
import { Sets, gatherSets } from "./setgather";
import { find, removeFound } from "./table";

/** SINTER key … */
export function sinter(): i32 {
  const refused = gatherSets(1, Args.count() - 1);
  if (refused < 0) return refused;
  return finishFound(Reply.written(), INTERSECTION);
}

/** SDIFF key … */
export function sdiff(): i32 {
  const refused = gatherSets(1, Args.count() - 1);
  if (refused < 0) return refused;
  return isFirstSmall() ? finishFound(Reply.written(), DIFFERENCE) : replyBuilt(DIFFERENCE);
}

/** SUNION key … */
export function sunion(): i32 {
  const refused = gatherSets(1, Args.count() - 1);
  return refused < 0 ? refused : replyBuilt(UNION);
}

/** SINTERSTORE destination key … */
export function sinterstore(): i32 {
  return storeBuilt(INTERSECTION, EVENT_SINTERSTORE);
}

/** SDIFFSTORE destination key … */
export function sdiffstore(): i32 {
  return storeBuilt(DIFFERENCE, EVENT_SDIFFSTORE);
}

/** SUNIONSTORE destination key … */
export function sunionstore(): i32 {
  return storeBuilt(UNION, EVENT_SUNIONSTORE);
}

const INTERSECTION: u32 = 0;
const UNION: u32 = 1;
const DIFFERENCE: u32 = 2;

/** Writes members as they are found; how many there are is known in the end. */
function finishFound(start: u32, operation: u32): i32 {
  const open = openReply();
  let done = open != NOT_OPEN;
  if (done) done = operation == INTERSECTION ? intersect(INTO_REPLY, 0) : subtractEach(INTO_REPLY);
  Sets.end();
  if (done) closeWithSet(open, foundMembers);
  else Reply.truncate(start);
  return done ? 0 : REFUSED_OUT_OF_MEMORY;
}

/** Makes the set of an operation on the sets gathered; false = no memory, and nothing is left of it. */
function build(operation: u32): bool {
  SetBuild.begin();
  if (operation == INTERSECTION) return intersect(INTO_SET, 0);
  if (operation == UNION) return unite();
  return isFirstSmall() ? subtractEach(INTO_SET) : subtractAll();
}

function replyBuilt(operation: u32): i32 {
  const start = Reply.written();
  const isBuilt = build(operation);
  Sets.end();
  if (!isBuilt) return REFUSED_OUT_OF_MEMORY;
  let done = Reply.reserve(LINE_ROOM);
  if (done) {
    replySet(SetBuild.count());
    done = SetBuild.reply();
  }
  SetBuild.drop();
  if (done) return 0;
  Reply.truncate(start);
  return REFUSED_OUT_OF_MEMORY;
}

/** Stores the outcome of an operation under the first key, which is deleted when nothing came out. */
function storeBuilt(operation: u32, event: u32): i32 {
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const refused = gatherSets(2, Args.count() - 2);
  if (refused < 0) return refused;
  const isBuilt = build(operation);
  Sets.end();
  if (!isBuilt) return REFUSED_OUT_OF_MEMORY;
  const size = SetBuild.count();
  if (size == 0) return storeNothing();
  const key = Args.ptr(1);
  const length = Args.length(1);
  const entry = SetBuild.finish(key, length, 0);
  if (entry == 0) return REFUSED_OUT_OF_MEMORY;
  // One whose time has come is told to have expired, not replaced.
  lookupWrite(Args.slot(), key, length);
  if (!placeIn(load<u32>(STATE_DB), entry)) {
    dispose(entry);
    return REFUSED_OUT_OF_MEMORY;
  }
  Events.tell(event, key, length);
  replyInteger(size);
  return 1;
}

/** What was there is deleted, and told to be, even if its time has come. */
function storeNothing(): i32 {
  const found = find(Args.slot(), Args.ptr(1), Args.length(1));
  if (found != 0) {
    removeFound(Args.slot());
    Events.tell(EVENT_DEL, Args.ptr(1), Args.length(1));
  }
  SetBuild.drop();
  replyInteger(0);
  return found == 0 ? 0 : 1;
}

/** SINTERCARD numkeys key … [LIMIT limit] */
export function sintercard(): i32 {
  if (!parse(Args.ptr(1), Args.length(1)) || parsed < 1) return REFUSED_NUMKEYS_NOT_POSITIVE;
  if (parsed > <i64>(Args.count() - 2)) return REFUSED_NUMKEYS_TOO_MANY;
  const number = <u32>parsed;
  let limit: i64 = 0;
  for (let i = number + 2; i < Args.count(); i += 2) {
    if (!isWord(i, "LIMIT") || i + 1 == Args.count()) return REFUSED_SYNTAX;
    if (!parse(Args.ptr(i + 1), Args.length(i + 1)) || parsed < 0) return REFUSED_NEGATIVE_LIMIT;
    limit = parsed;
  }
  if (!Reply.reserve(LINE_ROOM)) return REFUSED_OUT_OF_MEMORY;
  const refused = gatherSets(2, number);
  if (refused < 0) return refused;
  assert(intersect(INTO_NOTHING, <u32>min(limit, <i64>u32.MAX_VALUE)));
  Sets.end();
  replyInteger(foundMembers);
  return 0;
}
