// Draws a slot of a database, the more likely the more keys it holds: a number below the count of keys picks a block of
// slots, then a slot, by adding up their counts.
import { below } from "./chance";
import { Database, Slot } from "./database";
import { TableRecord } from "./tablerecord";

/** A slot of a database that has keys. */
export function drawSlot(db: usize): u32 {
  let rest = below(Database.keys(db));
  let block: u32 = 0;
  for (; rest >= Database.blockKeys(db, block); block++) rest -= Database.blockKeys(db, block);
  let slot = block << 7;
  for (; rest >= TableRecord.count(Database.slot(db, slot)); slot++)
    rest -= TableRecord.count(Database.slot(db, slot));
  return slot;
}

/** As `drawSlot`, of keys that expire; the database must have some. */
export function drawExpiringSlot(db: usize): u32 {
  let rest = below(Database.expiring(db));
  let block: u32 = 0;
  for (; rest >= Database.blockExpiring(db, block); block++) rest -= Database.blockExpiring(db, block);
  let slot = block << 7;
  for (; rest >= Slot.expiring(Database.slot(db, slot)); slot++)
    rest -= Slot.expiring(Database.slot(db, slot));
  return slot;
}
