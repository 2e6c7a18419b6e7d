// Replies whose head is known only when their elements are written: room is left for it, and the elements move up to
// it in the end.
//
//   const start = openReply();             // false room: REFUSED_OUT_OF_MEMORY
//   … replyBulk … count elements …
//   closeWithArray(start, count);
import { Reply, replyArray, replySet } from "./reply";

/** The most room a head takes. */
const HEAD_ROOM: u32 = 64;
/** What `openReply` returns when there is no memory. */
export const NOT_OPEN: u32 = u32.MAX_VALUE;

/** Leaves room for a head; returns where it begins, in bytes from the arena's start. */
export function openReply(): u32 {
  if (!Reply.reserve(HEAD_ROOM)) return NOT_OPEN;
  const start = Reply.written();
  Reply.setEnd(Reply.end() + HEAD_ROOM);
  return start;
}

/** Ends the reply opened at `start` as an array of `count` elements. */
export function closeWithArray(start: u32, count: u32): void {
  const end = Reply.written();
  Reply.truncate(start);
  replyArray(count);
  closeReply(start, end);
}

/** Ends the reply opened at `start` as a set of `count` elements. */
export function closeWithSet(start: u32, count: u32): void {
  const end = Reply.written();
  Reply.truncate(start);
  replySet(count);
  closeReply(start, end);
}

/**
 * Ends the reply opened at `start`, whose head has just been written there, behind which the arena was cut off.
 * @param end where its elements end, in bytes from the arena's start
 */
export function closeReply(start: u32, end: u32): void {
  const head = Reply.written();
  const from = start + HEAD_ROOM;
  memory.copy(Reply.end(), Reply.end() - head + from, end - from);
  Reply.truncate(head + end - from);
}
