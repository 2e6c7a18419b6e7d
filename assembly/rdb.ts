// Redis's RDB form: DUMP payloads, and the entries of a snapshot, slot by slot.
//
//   entry:    | EXPIRE_MS u8, unix milliseconds i64 | IDLE u8, seconds length | FREQ u8, count u8 | type u8 | key | value |
//             (the first when it expires; one of the next two where the policy of eviction goes by it)
//   payload:  | type u8 | value | version u16 | CRC-64 of all before u64 |
import { EVICT_LFU, EVICT_LRU, REFUSED_OUT_OF_MEMORY, STATE_ACCESS_CLOCK } from "./abi";
import { look } from "./access";
import { Bucket, bucketAt } from "./bucket";
import { Database } from "./database";
import { Entry } from "./entry";
import { evictionRule } from "./evictionrule";
import { frequencyOf } from "./frequency";
import {
  RDB_EXPIRE_MS,
  RDB_FREQ,
  RDB_IDLE,
  RDB_PAYLOAD_DAMAGED,
  RDB_PAYLOAD_FOOTER,
  RDB_PAYLOAD_REJECTED,
  RDB_VERSION,
} from "./rdbformat";
import { endWriting, isWriting, rdbTypeOf, writeMore, writeValue } from "./rdbvalue";
import { Out, beginWriting, endPayload, publishWritten, reserve, writeLength, writeString } from "./rdbwrite";
import { TableRecord } from "./tablerecord";

/** What stands before an entry's key. */
const ENTRY_HEAD: u32 = 16;
/** Longest string a snapshot compresses: it does so between requests, and they weigh more than the bytes saved. */
const SNAPSHOT_COMPRESS_LIMIT: u32 = 262144;

/** The slot being written: its record, the bucket line at hand and which of its entries are still to come. */
let record: usize = 0;
let bucket: u32 = 0;
let line: usize = 0;
let taken: i32 = 0;

/** Begins to write the entries of a slot, which must not change until `rdbNextPiece` has returned 0. */
export function rdbBeginSlot(db: u32, slot: u32): void {
  record = Database.slot(Database.at(db), slot);
  bucket = 0;
  line = 0;
  taken = 0;
  endWriting();
}

/**
 * Writes on, expired entries included: whoever reads them sees their expiry.
 * @param enough bytes after which to stop, between two elements of a big value if need be
 * @returns 1 = there is more, 0 = that was all, REFUSED_OUT_OF_MEMORY
 */
export function rdbNextPiece(enough: u32): i32 {
  beginWriting(SNAPSHOT_COMPRESS_LIMIT);
  while (Out.length() < enough) {
    if (isWriting()) {
      if (!writeMore(enough)) return REFUSED_OUT_OF_MEMORY;
      continue;
    }
    const entry = nextEntry();
    if (entry == 0) {
      publishWritten();
      return 0;
    }
    if (!writeEntry(entry)) return REFUSED_OUT_OF_MEMORY;
  }
  publishWritten();
  return 1;
}

/** The next entry of the slot; 0 = there is none. */
function nextEntry(): usize {
  while (taken == 0) {
    if (line != 0) line = Bucket.next(line);
    if (line == 0) {
      if (record == 0 || bucket == TableRecord.buckets(record)) return 0;
      line = bucketAt(record, bucket++);
    }
    taken = Bucket.taken(line);
  }
  const entry = Bucket.entry(line, ctz(taken));
  taken &= taken - 1;
  return entry;
}

function writeEntry(entry: usize): bool {
  if (!reserve(ENTRY_HEAD)) return false;
  if (Entry.expires(entry)) {
    Out.byte(RDB_EXPIRE_MS);
    Out.u64(<u64>(<i64>Entry.expireAt(entry)));
  }
  if (evictionRule == EVICT_LRU) {
    Out.byte(RDB_IDLE);
    writeLength((load<u32>(STATE_ACCESS_CLOCK) - Entry.clock(entry)) & 0xffffff);
  } else if (evictionRule == EVICT_LFU) {
    Out.byte(RDB_FREQ);
    Out.byte(frequencyOf(Entry.clock(entry)));
  }
  Out.byte(rdbTypeOf(entry));
  return writeString(Entry.key(entry), Entry.keyLength(entry)) && writeValue(entry);
}

/**
 * Writes the DUMP payload of a key of the selected database.
 * @param how one of abi.ts's HOW_ constants
 * @returns 1 = done, 0 = there is no such key, REFUSED_OUT_OF_MEMORY
 */
export function rdbDump(key: usize, keyLength: u32, how: u32): i32 {
  beginWriting(u32.MAX_VALUE);
  const entry = look(key, keyLength, how);
  if (entry == 0) return 0;
  if (!reserve(1)) return REFUSED_OUT_OF_MEMORY;
  Out.byte(rdbTypeOf(entry));
  if (!writeValue(entry) || !writeMore(u32.MAX_VALUE) || !endPayload(0)) return REFUSED_OUT_OF_MEMORY;
  publishWritten();
  return 1;
}

/**
 * Checks the frame of a DUMP payload.
 * @param crc the checksum of all but the last eight bytes
 * @returns the type of the value, which stands behind the first byte; RDB_PAYLOAD_REJECTED or RDB_PAYLOAD_DAMAGED
 */
export function rdbCheckPayload(ptr: usize, size: u32, crc: u64): i32 {
  if (size < <u32>RDB_PAYLOAD_FOOTER) return RDB_PAYLOAD_REJECTED;
  const footer = ptr + size - RDB_PAYLOAD_FOOTER;
  if (load<u16>(footer) > <u16>RDB_VERSION) return RDB_PAYLOAD_REJECTED;
  if (load<u64>(footer, 2) != crc) return RDB_PAYLOAD_REJECTED;
  return ptr == footer ? RDB_PAYLOAD_DAMAGED : load<u8>(ptr);
}
