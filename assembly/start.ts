// Makes a fresh instance ready.
import { stir } from "./chance";
import { initCrc16 } from "./crc16";
import { initEvents } from "./events";
import { seedHash } from "./hash";
import { initHeap } from "./heap";
import { releaseWaiting } from "./lazyfree";
import { reserveReply } from "./reply";
import { setRelease } from "./shortage";

/** Must be called once before anything else, with 128 random bits that nobody outside knows. */
export function init(a: u32, b: u32, c: u32, d: u32): void {
  initHeap();
  setRelease(releaseWaiting);
  initCrc16();
  seedHash(a, b, c, d);
  stir(((<u64>b) << 32) | d);
  assert(reserveReply(1));
  initEvents();
}
