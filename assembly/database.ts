// The databases: what each knows of its 16384 slots, and its totals.
//
//   database record (1088 bytes, static)
//   | directory u32 | keys u32 | expiring u32 | unused u32 | averageTtlMs f64 | unused 40 |
//   | keys in 128 blocks of slots, u32 each | keys that expire in them |
//
//   directory: a table's record (tablerecord.ts) per slot; its spare word counts the keys that expire
//
// The directory is made when the first key of a database is; block n counts the keys of slots 128 n to 128 n + 127.
import { DATABASE_COUNT, SLOT_COUNT, STATE_DB } from "./abi";
import { alloc } from "./heap";
import { TableRecord } from "./tablerecord";

const RECORD: u32 = 1088;
const RECORDS: usize = memory.data(17408);
const BLOCKS: usize = 64;
const EXPIRING_BLOCKS: usize = 576;
const SWAP: usize = memory.data(1088);

export abstract class Database {
  @inline static at(index: u32): usize {
    return RECORDS + index * RECORD;
  }
  @inline static selected(): usize {
    return Database.at(load<u32>(STATE_DB));
  }
  @inline static directory(db: usize): usize {
    return load<u32>(db);
  }
  @inline static keys(db: usize): u32 {
    return load<u32>(db, 4);
  }
  @inline static expiring(db: usize): u32 {
    return load<u32>(db, 8);
  }
  @inline static averageTtl(db: usize): f64 {
    return load<f64>(db, 16);
  }
  @inline static setAverageTtl(db: usize, ms: f64): void {
    store<f64>(db, ms, 16);
  }
  @inline static blockKeys(db: usize, block: u32): u32 {
    return load<u32>(db + BLOCKS + (block << 2));
  }
  @inline static blockExpiring(db: usize, block: u32): u32 {
    return load<u32>(db + EXPIRING_BLOCKS + (block << 2));
  }
  /** The record of a slot; 0 when the database never held a key. */
  @inline static slot(db: usize, slot: u32): usize {
    const directory = Database.directory(db);
    return directory == 0 ? 0 : directory + (slot << 4);
  }
  /** n keys more (or fewer) in a slot. */
  @inline static count(db: usize, slot: u32, n: i32): void {
    store<u32>(db, load<u32>(db, 4) + n, 4);
    const block = db + BLOCKS + ((slot >> 7) << 2);
    store<u32>(block, load<u32>(block) + n);
    const record = Database.slot(db, slot);
    TableRecord.setCount(record, TableRecord.count(record) + n);
  }
  /** n keys more (or fewer) with an expiry in a slot. */
  @inline static countExpiring(db: usize, slot: u32, n: i32): void {
    store<u32>(db, load<u32>(db, 8) + n, 8);
    const block = db + EXPIRING_BLOCKS + ((slot >> 7) << 2);
    store<u32>(block, load<u32>(block) + n);
    const record = Database.slot(db, slot);
    TableRecord.setSpare(record, TableRecord.spare(record) + n);
  }
}

export abstract class Slot {
  @inline static expiring(record: usize): u32 {
    return TableRecord.spare(record);
  }
}

/** The record of a slot, the directory made if need be; 0 = no memory. */
export function slotForInsert(db: usize, slot: u32): usize {
  if (Database.directory(db) == 0) {
    const directory = alloc(SLOT_COUNT << 4);
    if (directory == 0) return 0;
    memory.fill(directory, 0, SLOT_COUNT << 4);
    store<u32>(db, <u32>directory);
  }
  return Database.slot(db, slot);
}

/** Takes all slots away from a database at once; returns their directory, 0 = it never held a key. */
export function detachDirectory(db: usize): usize {
  const directory = Database.directory(db);
  memory.fill(db, 0, RECORD);
  return directory;
}

/** Makes a slot empty, whatever it held; returns how many keys that were. */
export function detachSlot(db: usize, slot: u32): u32 {
  const record = Database.slot(db, slot);
  const keys = TableRecord.count(record);
  Database.countExpiring(db, slot, -(<i32>Slot.expiring(record)));
  Database.count(db, slot, -(<i32>keys));
  TableRecord.setRoot(record, 0);
  TableRecord.setBuckets(record, 0);
  return keys;
}

/** SWAPDB: all that a database is stands in its record. */
export function swapDatabases(a: u32, b: u32): void {
  if (a >= <u32>DATABASE_COUNT || b >= <u32>DATABASE_COUNT || a == b) return;
  memory.copy(SWAP, Database.at(a), RECORD);
  memory.copy(Database.at(a), Database.at(b), RECORD);
  memory.copy(Database.at(b), SWAP, RECORD);
}

/** Number of keys of a database. */
export function databaseKeys(index: u32): u32 {
  return Database.keys(Database.at(index));
}

/** Number of keys of a database that have an expiry. */
export function databaseExpiring(index: u32): u32 {
  return Database.expiring(Database.at(index));
}

/** An estimate of the mean time to live of keys with an expiry, milliseconds. */
export function databaseAverageTtl(index: u32): f64 {
  return Database.averageTtl(Database.at(index));
}
