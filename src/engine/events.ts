// The engine's events as keyspace notifications name them, each in the class that notify-keyspace-events turns on.
import * as abi from "../../assembly/abi.ts";

/** `g` generic, `$` string, `l` list, `s` set, `h` hash, `z` sorted set, `x` expired, `e` evicted, `m` missed, `n` new. */
export type EventClass = "g" | "$" | "l" | "s" | "h" | "z" | "x" | "e" | "m" | "n";

export interface KeyEvent {
  readonly name: string;
  readonly class: EventClass;
}

const row = (kind: number, name: string, eventClass: EventClass): readonly [number, KeyEvent] => [
  kind,
  { name, class: eventClass },
];

/** By EVENT_ constant; EVENT_READY and EVENT_MODIFIED are no notifications. */
export const KEY_EVENTS: ReadonlyMap<number, KeyEvent> = new Map([
  row(abi.EVENT_EXPIRED, "expired", "x"),
  row(abi.EVENT_NEW, "new", "n"),
  row(abi.EVENT_KEYMISS, "keymiss", "m"),
  row(abi.EVENT_EVICTED, "evicted", "e"),
  row(abi.EVENT_DEL, "del", "g"),
  row(abi.EVENT_EXPIRE, "expire", "g"),
  row(abi.EVENT_PERSIST, "persist", "g"),
  row(abi.EVENT_RENAME_FROM, "rename_from", "g"),
  row(abi.EVENT_RENAME_TO, "rename_to", "g"),
  row(abi.EVENT_MOVE_FROM, "move_from", "g"),
  row(abi.EVENT_MOVE_TO, "move_to", "g"),
  row(abi.EVENT_COPY_TO, "copy_to", "g"),
  row(abi.EVENT_RESTORE, "restore", "g"),
  row(abi.EVENT_SET, "set", "$"),
  row(abi.EVENT_SETRANGE, "setrange", "$"),
  row(abi.EVENT_APPEND, "append", "$"),
  row(abi.EVENT_INCRBY, "incrby", "$"),
  row(abi.EVENT_INCRBYFLOAT, "incrbyfloat", "$"),
  row(abi.EVENT_LPUSH, "lpush", "l"),
  row(abi.EVENT_RPUSH, "rpush", "l"),
  row(abi.EVENT_LPOP, "lpop", "l"),
  row(abi.EVENT_RPOP, "rpop", "l"),
  row(abi.EVENT_LINSERT, "linsert", "l"),
  row(abi.EVENT_LSET, "lset", "l"),
  row(abi.EVENT_LREM, "lrem", "l"),
  row(abi.EVENT_LTRIM, "ltrim", "l"),
  row(abi.EVENT_SORTSTORE, "sortstore", "l"),
  row(abi.EVENT_SADD, "sadd", "s"),
  row(abi.EVENT_SREM, "srem", "s"),
  row(abi.EVENT_SPOP, "spop", "s"),
  row(abi.EVENT_SINTERSTORE, "sinterstore", "s"),
  row(abi.EVENT_SUNIONSTORE, "sunionstore", "s"),
  row(abi.EVENT_SDIFFSTORE, "sdiffstore", "s"),
  row(abi.EVENT_HSET, "hset", "h"),
  row(abi.EVENT_HINCRBY, "hincrby", "h"),
  row(abi.EVENT_HINCRBYFLOAT, "hincrbyfloat", "h"),
  row(abi.EVENT_HDEL, "hdel", "h"),
  row(abi.EVENT_ZADD, "zadd", "z"),
  row(abi.EVENT_ZINCR, "zincr", "z"),
  row(abi.EVENT_ZREM, "zrem", "z"),
  row(abi.EVENT_ZREMRANGEBYSCORE, "zremrangebyscore", "z"),
  row(abi.EVENT_ZREMRANGEBYRANK, "zremrangebyrank", "z"),
  row(abi.EVENT_ZREMRANGEBYLEX, "zremrangebylex", "z"),
  row(abi.EVENT_ZDIFFSTORE, "zdiffstore", "z"),
  row(abi.EVENT_ZINTERSTORE, "zinterstore", "z"),
  row(abi.EVENT_ZUNIONSTORE, "zunionstore", "z"),
  row(abi.EVENT_ZRANGESTORE, "zrangestore", "z"),
  row(abi.EVENT_ZPOPMIN, "zpopmin", "z"),
  row(abi.EVENT_ZPOPMAX, "zpopmax", "z"),
]);
