// CRC-64 with Jones' polynomial, reflected, without inversion: the checksum of RDB files and DUMP payloads.
// Eight bytes a step: table k holds what a byte contributes once k more bytes have passed behind it.

const REFLECTED_POLYNOMIAL: u64 = 0x95ac9329ac4bc9b5;
const TABLE_SIZE: usize = 256 << 3;
const tables = memory.data(16384, 64);
let ready = false;

function prepare(): void {
  for (let byte: usize = 0; byte < 256; byte++) {
    let crc = byte as u64;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ REFLECTED_POLYNOMIAL : crc >> 1;
    store<u64>(tables + (byte << 3), crc);
  }
  for (let table: usize = 1; table < 8; table++) {
    const here = tables + table * TABLE_SIZE;
    for (let byte: usize = 0; byte < 256; byte++) {
      const before = load<u64>(here - TABLE_SIZE + (byte << 3));
      store<u64>(here + (byte << 3), (before >> 8) ^ load<u64>(tables + ((before as usize & 255) << 3)));
    }
  }
  ready = true;
}

abstract class Crc64 {
  @inline static from(table: usize, byte: u64): u64 {
    return load<u64>(tables + table * TABLE_SIZE + ((byte as usize & 255) << 3));
  }
}

/**
 * Goes on from `crc` (0 at the start) over `length` bytes.
 * Check value: "123456789" gives e9c6d914c4b8d9ca.
 */
export function crc64(start: u64, ptr: usize, length: u32): u64 {
  if (!ready) prepare();
  let crc = start;
  let at = ptr;
  const end = ptr + length;
  for (; at + 8 <= end; at += 8) {
    crc ^= load<u64>(at);
    crc =
      Crc64.from(7, crc) ^
      Crc64.from(6, crc >> 8) ^
      Crc64.from(5, crc >> 16) ^
      Crc64.from(4, crc >> 24) ^
      Crc64.from(3, crc >> 32) ^
      Crc64.from(2, crc >> 40) ^
      Crc64.from(1, crc >> 48) ^
      Crc64.from(0, crc >> 56);
  }
  for (; at < end; at++) crc = (crc >> 8) ^ Crc64.from(0, crc ^ load<u8>(at));
  return crc;
}
