// Random numbers for what the protocol calls random: keys, members, fields. (Nobody's secret hangs on them.)

let state: u64 = 1;

/** Mixes a number of the host's in. */
export function stir(seed: u64): void {
  state = (seed ^ (state << 1)) | 1;
}

/** A number below `limit` (xorshift64*). */
export function below(limit: u32): u32 {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  const drawn = (state * 0x2545f4914f6cdd1d) >> 32;
  return <u32>((drawn * <u64>limit) >> 32);
}
