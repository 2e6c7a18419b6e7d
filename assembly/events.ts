// What happened to keys, gathered while a command runs and taken by the host afterwards: keys that expired (replicas and
// the log must be told a DEL), and, when somebody wants them, keyspace notifications and keys that clients wait for.
//
//   record: | kind u16 | database u16 | length u32 | answered u32 | key bytes | up to 3 unused bytes |
//
// `answered` is how much of its reply the command had written, in bytes from the start of the arena: whoever makes a
// change and is told of it reads both in the order in which they were made.
import {
  EVENT_NEW,
  EVENT_READY,
  STATE_DB,
  STATE_EVENTS_WANTED,
  STATE_EVENT_COUNT,
  STATE_REPLY,
  STATE_REPLY_END,
  STATE_RESULT_LENGTH,
  STATE_RESULT_PTR,
  TYPE_LIST,
  TYPE_ZSET,
} from "./abi";
import { Bytes } from "./bytes";
import { Entry } from "./entry";
import { alloc, free, resize, sizeOf } from "./heap";

/** The list is there from the start, so that a death or two can be recorded when memory is full. */
const FIRST_ROOM: u32 = 4096;
const KEPT_ROOM: u32 = 65536;

let list: usize = 0;
let listLength: u32 = 0;

export function initEvents(): void {
  list = alloc(FIRST_ROOM);
}

const APPEARED: u64 = (1 << EVENT_NEW) | (1 << EVENT_READY);

export abstract class Events {
  /** A notification about a key of the selected database, an EVENT_ constant. */
  @inline static tell(kind: u32, key: usize, length: u32): void {
    if ((load<u64>(STATE_EVENTS_WANTED) & ((<u64>1) << (<u64>kind))) != 0) record(kind, key, length);
  }
  /**
   * An entry has come to be under a key that had none. One that takes another's place is not told, as Redis has it: who
   * waits for a list is not served when ZRANGESTORE or SORT writes over what was there.
   */
  @inline static appeared(entry: usize): void {
    if ((load<u64>(STATE_EVENTS_WANTED) & APPEARED) != 0) tellAppeared(entry);
  }
  /** From here on what appears is not told to be new; returns what `hear` takes to go back to how it was. */
  @inline static unhearNew(): u64 {
    const wanted = load<u64>(STATE_EVENTS_WANTED);
    store<u64>(STATE_EVENTS_WANTED, wanted & ~((<u64>1) << EVENT_NEW));
    return wanted;
  }
  @inline static hear(wanted: u64): void {
    store<u64>(STATE_EVENTS_WANTED, wanted);
  }
}

function tellAppeared(entry: usize): void {
  Events.tell(EVENT_NEW, Entry.key(entry), Entry.keyLength(entry));
  tellReady(entry);
}

function tellReady(entry: usize): void {
  const type = Entry.type(entry);
  if (type == TYPE_LIST || type == TYPE_ZSET)
    Events.tell(EVENT_READY, Entry.key(entry), Entry.keyLength(entry));
}

/** Notes an event; false = no memory for it. */
export function record(kind: u32, key: usize, length: u32): bool {
  const size = (12 + length + 3) & ~3;
  if (listLength + size > sizeOf(list)) {
    const moved = resize(list, listLength, max(listLength + size, sizeOf(list) * 2));
    if (moved == 0) return false;
    list = moved;
  }
  const at = list + listLength;
  store<u32>(at, kind | (load<u32>(STATE_DB) << 16));
  store<u32>(at, length, 4);
  store<u32>(at, load<u32>(STATE_REPLY_END) - load<u32>(STATE_REPLY), 8);
  Bytes.copy(at + 12, key, length);
  listLength += size;
  store<u32>(STATE_EVENT_COUNT, load<u32>(STATE_EVENT_COUNT) + 1);
  return true;
}

/** Returns the records since `clearEvents`, by reference. */
export function takeEvents(): void {
  store<u32>(STATE_RESULT_PTR, <u32>list);
  store<u32>(STATE_RESULT_LENGTH, listLength);
}

export function clearEvents(): void {
  store<u32>(STATE_EVENT_COUNT, 0);
  listLength = 0;
  if (sizeOf(list) <= KEPT_ROOM) return;
  const fresh = alloc(FIRST_ROOM);
  if (fresh == 0) return;
  free(list);
  list = fresh;
}
