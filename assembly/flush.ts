// Dropping many keys at once.
import { SLOT_COUNT } from "./abi";
import { Database } from "./database";
import { clearSlot } from "./table";
import { TableRecord } from "./tablerecord";

/** Drops all keys of a slot of the selected database; returns how many there were. */
export function flushSlot(slot: u32): u32 {
  return clearSlot(Database.selected(), slot);
}

/** Drops all keys of a database; returns how many there were. */
export function flushDatabase(index: u32): u32 {
  const db = Database.at(index);
  let dropped: u32 = 0;
  for (let block: u32 = 0; block < 128; block++) {
    if (Database.blockKeys(db, block) == 0) continue;
    for (let slot = block << 7; slot < (block + 1) << 7; slot++) dropped += clearSlot(db, slot);
  }
  return dropped;
}

/** Number of keys of a slot of the selected database. */
export function slotKeys(slot: u32): u32 {
  const record = Database.slot(Database.selected(), slot);
  return record == 0 || slot >= <u32>SLOT_COUNT ? 0 : TableRecord.count(record);
}
