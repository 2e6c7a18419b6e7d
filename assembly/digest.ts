// What a key or a whole data set holds, in 20 bytes that are redis-server's own (DEBUG DIGEST, DEBUG DIGEST-VALUE): two
// servers that hold the same tell the same, whatever order and encoding they keep it in.
//
//   mixed:  digest = SHA-1(digest xor SHA-1(bytes))        what follows another thing
//   added:  digest = digest xor SHA-1(bytes)               what has no order: members, keys
import {
  DATABASE_COUNT,
  SLOT_COUNT,
  STATE_RESULT_LENGTH,
  STATE_RESULT_PTR,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STRING,
  TYPE_ZSET,
} from "./abi";
import { Bucket, bucketAt } from "./bucket";
import { slotOf } from "./crc16";
import { Database } from "./database";
import { renderDouble } from "./doubletext";
import {
  beginElements,
  elementScore,
  elementText,
  elementTextLength,
  elementValue,
  elementValueLength,
  nextElement,
} from "./elements";
import { Entry, stringBytes, stringLength } from "./entry";
import { sha1 } from "./sha1";
import { DIGITS } from "./stringvalue";
import { find } from "./table";
import { TableRecord } from "./tablerecord";

const BYTES: u32 = 20;
/** Of the data set, of the key at hand, of its element at hand, and of a piece of bytes. */
const ALL: usize = memory.data(20, 8);
const KEY: usize = memory.data(20, 8);
const ELEMENT: usize = memory.data(20, 8);
const PIECE: usize = memory.data(20, 8);
const NUMBER: usize = memory.data(4);
const SCORE: usize = memory.data(24);
/** "!!expire!!" */
const EXPIRES: usize = memory.data<u8>([33, 33, 101, 120, 112, 105, 114, 101, 33, 33]);

/** Numbers Redis has for its types, in the order of ours. */
abstract class RedisType {
  static of(type: u32): u32 {
    if (type == TYPE_STRING) return 0;
    if (type == TYPE_LIST) return 1;
    if (type == TYPE_SET) return 2;
    return type == TYPE_ZSET ? 3 : 4;
  }
}

function add(digest: usize, ptr: usize, length: u32): void {
  sha1(ptr, length, PIECE);
  for (let i: u32 = 0; i < BYTES; i += 4)
    store<u32>(digest + i, load<u32>(digest + i) ^ load<u32>(PIECE + i));
}

function mix(digest: usize, ptr: usize, length: u32): void {
  add(digest, ptr, length);
  sha1(digest, BYTES, digest);
}

function mixNumber(digest: usize, value: u32): void {
  store<u32>(NUMBER, bswap(value));
  mix(digest, NUMBER, 4);
}

/** The value of an entry, with its type and whether it expires. */
function mixValue(digest: usize, entry: usize): void {
  const type = Entry.type(entry);
  mixNumber(digest, RedisType.of(type));
  if (type == TYPE_STRING) mix(digest, stringBytes(entry, DIGITS), stringLength(entry));
  else for (beginElements(entry); nextElement();) mixElement(digest, type);
  if (Entry.expires(entry)) add(digest, EXPIRES, 10);
}

function mixElement(digest: usize, type: u32): void {
  if (type == TYPE_LIST) return mix(digest, elementText, elementTextLength);
  if (type == TYPE_SET) return add(digest, elementText, elementTextLength);
  memory.fill(ELEMENT, 0, BYTES);
  mix(ELEMENT, elementText, elementTextLength);
  if (type == TYPE_HASH) mix(ELEMENT, elementValue, elementValueLength);
  else mix(ELEMENT, SCORE, renderDouble(elementScore, SCORE));
  add(digest, ELEMENT, BYTES);
}

/**
 * Leaves the digest of a key's value in STATE_RESULT_PTR and _LENGTH; zeros where there is no such key. One whose time
 * has come counts while it is there: two nodes that hold it hold the same.
 */
export function digestKey(key: usize, length: u32): void {
  memory.fill(KEY, 0, BYTES);
  const entry = find(slotOf(key, length), key, length);
  if (entry != 0) mixValue(KEY, entry);
  publish(KEY);
}

/** Leaves the digest of all keys of all databases, which do not expire meanwhile, in STATE_RESULT_PTR and _LENGTH. */
export function digestAll(): void {
  memory.fill(ALL, 0, BYTES);
  for (let index: u32 = 0; index < <u32>DATABASE_COUNT; index++) {
    const db = Database.at(index);
    if (Database.keys(db) == 0) continue;
    mixNumber(ALL, index);
    for (let slot: u32 = 0; slot < <u32>SLOT_COUNT; slot++) addSlot(Database.slot(db, slot));
  }
  publish(ALL);
}

function addSlot(record: usize): void {
  const buckets = TableRecord.buckets(record);
  for (let i: u32 = 0; i < buckets; i++) {
    for (let line = bucketAt(record, i); line != 0; line = Bucket.next(line)) {
      for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1) {
        const entry = Bucket.entry(line, ctz(taken));
        memory.fill(KEY, 0, BYTES);
        mix(KEY, Entry.key(entry), Entry.keyLength(entry));
        mixValue(KEY, entry);
        add(ALL, KEY, BYTES);
      }
    }
  }
}

function publish(digest: usize): void {
  store<u32>(STATE_RESULT_PTR, <u32>digest);
  store<u32>(STATE_RESULT_LENGTH, BYTES);
}
