// RANDOMKEY: every key with the same chance, found without a list of keys.
//
// drawslot.ts picks the slot, draw.ts the key in the slot's table.
import { EXPIRED_DELETED, STATE_KEEP_EXPIRED, STATE_RESULT_LENGTH, STATE_RESULT_PTR } from "./abi";
import { Cell } from "./chain";
import { stir } from "./chance";
import { Database } from "./database";
import { draw, drawnBucket } from "./draw";
import { drawSlot } from "./drawslot";
import { Entry } from "./entry";
import { hasExpired, recordExpired } from "./expiry";
import { shrink } from "./growth";
import { dispose } from "./lazyfree";
import { removeAt } from "./table";

/** Expired keys met before a replica, which may not delete them, shows one. */
const TRIES: u32 = 100;

/** The slot the last drawn key is in. */
let slot: u32 = 0;

/** Leaves a random living key of the selected database as the result; false = there is none. */
export function randomKey(seed: f64): bool {
  stir(reinterpret<u64>(seed));
  const db = Database.selected();
  for (let tries: u32 = 0; Database.keys(db) != 0; tries++) {
    const cell = drawKey(db);
    const entry = Cell.element(cell);
    const keep = load<u32>(STATE_KEEP_EXPIRED) != EXPIRED_DELETED;
    if (!hasExpired(entry) || (keep && tries >= TRIES)) {
      store<u32>(STATE_RESULT_PTR, <u32>Entry.key(entry));
      store<u32>(STATE_RESULT_LENGTH, Entry.keyLength(entry));
      return true;
    }
    if (keep) continue;
    if (!recordExpired(entry)) return false;
    removeDrawn(db, cell);
  }
  return false;
}

function removeDrawn(db: usize, cell: usize): void {
  dispose(removeAt(db, slot, drawnBucket, cell));
  shrink(Database.slot(db, slot));
}

/** The cell of a random key, living or not. */
function drawKey(db: usize): usize {
  slot = drawSlot(db);
  return draw(Database.slot(db, slot));
}
