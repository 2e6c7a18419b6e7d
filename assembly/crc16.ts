// CRC16-XMODEM (polynomial 0x1021, starting at 0) and the hash slot of a key.
//
// Sliced by eight: row k of the tables is the checksum of one byte with k zero bytes behind it, and since the
// checksum of a sum is the sum of the checksums, eight bytes are eight look-ups that need not wait for each other.

const POLYNOMIAL: u32 = 0x1021;
const OPEN: u8 = 0x7b;
const CLOSE: u8 = 0x7d;
const TABLE: usize = memory.data(4096);

export function initCrc16(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
    store<u16>(TABLE + (byte << 1), <u16>crc);
  }
  for (let row: usize = 1; row < 8; row++) {
    for (let byte: u32 = 0; byte < 256; byte++) {
      const crc = <u32>load<u16>(TABLE + ((row - 1) << 9) + (byte << 1));
      const next = (crc << 8) ^ (<u32>load<u16>(TABLE + ((crc >> 8) << 1)));
      store<u16>(TABLE + (row << 9) + (byte << 1), <u16>next);
    }
  }
}

abstract class Row {
  @inline static at(row: usize, byte: u32): u32 {
    return load<u16>(TABLE + (row << 9) + (byte << 1));
  }
}

export function crc16(ptr: usize, length: u32): u32 {
  let crc: u32 = 0;
  let at = ptr;
  const end = ptr + length;
  for (; at + 8 <= end; at += 8) {
    const word = load<u64>(at);
    const low = <u32>word;
    const high = <u32>(word >> 32);
    crc =
      Row.at(7, (low & 0xff) ^ (crc >> 8)) ^
      Row.at(6, ((low >> 8) & 0xff) ^ (crc & 0xff)) ^
      Row.at(5, (low >> 16) & 0xff) ^
      Row.at(4, low >> 24) ^
      Row.at(3, high & 0xff) ^
      Row.at(2, (high >> 8) & 0xff) ^
      Row.at(1, (high >> 16) & 0xff) ^
      Row.at(0, high >> 24);
  }
  for (; at < end; at++) crc = ((crc << 8) & 0xffff) ^ Row.at(0, (crc >> 8) ^ (<u32>load<u8>(at)));
  return crc;
}

/** The slot of a key: only what stands between its first `{` and the next `}` counts, unless that is nothing. */
export function slotOf(ptr: usize, length: u32): u32 {
  const end = ptr + length;
  const open = indexOf(ptr, end, OPEN);
  if (open < end) {
    const close = indexOf(open + 1, end, CLOSE);
    if (close < end && close > open + 1) return crc16(open + 1, <u32>(close - open - 1)) & 16383;
  }
  return crc16(ptr, length) & 16383;
}

/** Where `byte` first stands, `end` when nowhere. */
function indexOf(from: usize, end: usize, byte: u8): usize {
  let at = from;
  const pattern = <u64>byte * 0x0101010101010101;
  for (; at + 8 <= end; at += 8) {
    // A byte of `x` is zero where it matches; the trick marks zero bytes, the lowest one reliably.
    const x = load<u64>(at) ^ pattern;
    const zero = (x - 0x0101010101010101) & ~x & 0x8080808080808080;
    if (zero != 0) return at + <usize>(ctz(zero) >> 3);
  }
  for (; at < end; at++) if (load<u8>(at) == byte) return at;
  return end;
}
