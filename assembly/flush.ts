// Dropping many keys at once: they are out of reach in one step, and their memory comes back by and by (lazyfree.ts).
import { SLOT_COUNT } from "./abi";
import { Database } from "./database";
import { retireDatabase, retireSlot } from "./lazyfree";
import { TableRecord } from "./tablerecord";

/** Drops all keys of a slot of the selected database; returns how many there were. */
export function flushSlot(slot: u32): u32 {
  return retireSlot(Database.selected(), slot);
}

/** Drops all keys of a database; returns how many there were. */
export function flushDatabase(index: u32): u32 {
  return retireDatabase(Database.at(index));
}

/** Number of keys of a slot of the selected database. */
export function slotKeys(slot: u32): u32 {
  const record = Database.slot(Database.selected(), slot);
  return record == 0 || slot >= <u32>SLOT_COUNT ? 0 : TableRecord.count(record);
}
