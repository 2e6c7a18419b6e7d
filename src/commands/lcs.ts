// The longest common subsequence of two byte strings, by the classic table of lengths over all prefixes.
// Only one row of the table is kept; to walk back through it, one bit per cell remembers which way the greater
// neighbour lies, 32 times less than the table itself.

/** A run that both strings share, both ends included. */
export interface Match {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
}

export interface Subsequence {
  readonly bytes: Uint8Array;
  /** From the end of the strings to their beginning. */
  readonly matches: readonly Match[];
}

/** Bytes of a cell of the table, were it kept. */
const CELL_BYTES = 4;

/** What the table of two strings would take, in bytes: their work grows with it, whatever is kept of it. */
export function tableBytes(a: Uint8Array, b: Uint8Array): number {
  return (a.length + 1) * (b.length + 1) * CELL_BYTES;
}

/**
 * Fills the table row by row.
 * @param up set bits: from cell (i, j), where the bytes differ, the greater neighbour is (i - 1, j)
 * @returns the length of the longest common subsequence
 */
function fill(a: Uint8Array, b: Uint8Array, up: Uint8Array | undefined): number {
  const width = b.length;
  const row = new Uint32Array(width + 1); // row[j] = length for the first i bytes of a and the first j of b
  for (let i = 0; i < a.length; i++) {
    const byte = a[i];
    let diagonal = 0; // the row before, at j - 1
    let left = 0;
    for (let j = 1; j <= width; j++) {
      const above = row[j] ?? 0;
      if (byte === b[j - 1]) {
        left = diagonal + 1;
      } else if (above > left) {
        left = above;
        if (up !== undefined) {
          const bit = i * width + j - 1;
          const at = Math.floor(bit / 8);
          up[at] = (up[at] ?? 0) | (1 << (bit % 8));
        }
      }
      row[j] = left;
      diagonal = above;
    }
  }
  return row[width] ?? 0;
}

export function commonLength(a: Uint8Array, b: Uint8Array): number {
  // The row runs over the shorter string: less memory, same length.
  return a.length < b.length ? fill(b, a, undefined) : fill(a, b, undefined);
}

export function commonSubsequence(a: Uint8Array, b: Uint8Array): Subsequence {
  const width = b.length;
  const up = new Uint8Array(Math.ceil((a.length * width) / 8));
  const bytes = new Uint8Array(fill(a, b, up));
  const matches: Match[] = [];
  let free = bytes.length;
  let i = a.length;
  let j = width;
  while (i > 0 && j > 0) {
    const aEnd = i - 1;
    const bEnd = j - 1;
    while (i > 0 && j > 0 && a[i - 1] === b[j - 1]) {
      bytes[--free] = a[i - 1] ?? 0;
      i--;
      j--;
    }
    if (i <= aEnd) {
      matches.push({ aStart: i, aEnd, bStart: j, bEnd });
      continue;
    }
    const bit = (i - 1) * width + j - 1;
    if (((up[Math.floor(bit / 8)] ?? 0) >> (bit % 8)) & 1) i--;
    else j--;
  }
  return { bytes, matches };
}
