// LZF, the compression of strings in RDB. A compressed string is a row of runs:
//
//   000nnnnn  bytes            n + 1 literal bytes follow
//   lllooooo  oooooooo         l in 1..6: copy l + 2 bytes from o + 1 bytes back
//   111ooooo  llllllll oooooooo       copy l + 9 bytes from o + 1 bytes back
//
// A payload equals Redis's byte for byte only if the same matches are found, so the hash, the places it is noted at and
// the longest match are those of liblzf in its "very fast" setting.

const SLOTS: u32 = 1 << 16;
const LONGEST_RUN: usize = 32;
const FARTHEST_BACK: u32 = 8192;
const LONGEST_MATCH: usize = 264;

/**
 * Per hash of three bytes where they were last seen, as `origin` + position. What is not above `origin` comes from
 * strings before this one; so the table need not be cleared for each string.
 */
const SHARED: usize = memory.data(262144, 64);
let origin: u32 = 0;
/** The table in use: a string that is compressed in steps has its own, since others are compressed between them. */
let seen: usize = SHARED;
/** Bytes of a table. */
export const LZF_TABLE: u32 = SLOTS << 2;

abstract class Lzf {
  /** Slot of the three bytes at `at`. */
  @inline static slot(table: usize, at: usize): usize {
    const three: u32 = ((load<u8>(at) as u32) << 16) | ((load<u8>(at, 1) as u32) << 8) | load<u8>(at, 2);
    return table + ((((three >> 8) - three * 5) & (SLOTS - 1)) << 2);
  }

  @inline static sameThree(one: usize, other: usize): bool {
    return load<u16>(one) == load<u16>(other) && load<u8>(one, 2) == load<u8>(other, 2);
  }
}

/** Bytes two runs share, given that the first three are the same; `left` bytes remain from `at` on. */
function matchLength(from: usize, at: usize, left: usize): usize {
  // The last two bytes are never part of a match unless 19 are left: liblzf compares the first 18 without counting.
  const longest = min(left - 2, LONGEST_MATCH);
  let length: usize = 3;
  if (longest > 16) {
    while (length < 19) {
      if (load<u8>(from + length) != load<u8>(at + length)) return length;
      length++;
    }
  }
  while (length < longest && load<u8>(from + length) == load<u8>(at + length)) length++;
  return length;
}

/** Where a compression stands: the next byte to look at, the length of the literal run in hand, the end of the output. */
let reached: usize = 0;
let openRun: usize = 0;
let written: usize = 0;

/**
 * Compresses `length` bytes (three at least) into `room` bytes.
 * @returns bytes written; 0 = they do not fit
 */
export function lzfCompress(source: usize, length: u32, target: usize, room: u32): u32 {
  if (length < 3 || room == 0) return 0;
  if (origin > u32.MAX_VALUE - length) {
    memory.fill(SHARED, 0, LZF_TABLE);
    origin = 0;
  }
  const base = origin;
  origin += length;
  seen = SHARED;
  const end = source + length;
  begin(source, target);
  const fits = goOn(source, end, end, base, target + room);
  return fits ? finish(end, target, target + room) : 0;
}

function begin(source: usize, target: usize): void {
  reached = source;
  openRun = target; // where the length of the literal run in hand will stand
  written = target + 1;
}

/** Compresses until `stop` is reached or three bytes are no longer left; false = the output does not fit. */
function goOn(source: usize, end: usize, stop: usize, base: u32, limit: usize): bool {
  const table = seen;
  const lastThree = end - 2;
  const to = min(stop, lastThree);
  let at = reached;
  let run = openRun;
  let out = written;
  while (at < to) {
    const slot = Lzf.slot(table, at);
    const noted = load<u32>(slot);
    const position = (at - source) as u32;
    store<u32>(slot, base + position);
    const from = source + (noted - base);
    // Position 0 is never matched: `base` itself reads as "not in this string".
    if (noted > base && position - (noted - base) <= FARTHEST_BACK && Lzf.sameThree(from, at)) {
      const literals = out - run - 1;
      if (literals > 0) store<u8>(run, literals - 1);
      else out = run;
      if (out + 4 >= limit) return false;
      const taken = matchLength(from, at, end - at);
      const back = at - from - 1;
      const code = taken - 2;
      if (code < 7) {
        store<u8>(out++, (back >> 8) + (code << 5));
      } else {
        store<u8>(out++, (back >> 8) + (7 << 5));
        store<u8>(out++, code - 7);
      }
      store<u8>(out++, back);
      run = out++;
      at += taken;
      if (at >= lastThree) break;
      // Of the bytes in the match only its last two places are noted.
      store<u32>(Lzf.slot(table, at - 2), base + ((at - 2 - source) as u32));
      store<u32>(Lzf.slot(table, at - 1), base + ((at - 1 - source) as u32));
    } else {
      if (out >= limit) return false;
      store<u8>(out++, load<u8>(at++));
      if (out - run - 1 == LONGEST_RUN) {
        store<u8>(run, LONGEST_RUN - 1);
        run = out++;
      }
    }
  }
  reached = at;
  openRun = run;
  written = out;
  return true;
}

/** Writes the last bytes as they are; returns the length of all the output, 0 = it does not fit. */
function finish(end: usize, target: usize, limit: usize): u32 {
  let at = reached;
  let run = openRun;
  let out = written;
  if (out + 3 > limit) return 0;
  while (at < end) {
    store<u8>(out++, load<u8>(at++));
    if (out - run - 1 == LONGEST_RUN) {
      store<u8>(run, LONGEST_RUN - 1);
      run = out++;
    }
  }
  const literals = out - run - 1;
  if (literals > 0) store<u8>(run, literals - 1);
  else out = run;
  return (out - target) as u32;
}

/**
 * A compression in steps, of a string that may move between them. All its places are kept as distances:
 *
 *   | reached u32 | open run u32 | written u32 | length u32 | room u32 |      of LZF_STEPS bytes
 */
export abstract class LzfSteps {
  /** @param table LZF_TABLE bytes, zeroed here */
  static begin(steps: usize, length: u32, room: u32, table: usize): void {
    memory.fill(table, 0, LZF_TABLE);
    store<u32>(steps, 0);
    store<u32>(steps, 0, 4);
    store<u32>(steps, 1, 8);
    store<u32>(steps, length, 12);
    store<u32>(steps, room, 16);
  }

  /**
   * Looks at `budget` bytes more.
   * @returns LZF_OPEN, or bytes written when all are compressed, 0 = they do not fit
   */
  static more(steps: usize, source: usize, target: usize, table: usize, budget: u32): i64 {
    const length = load<u32>(steps, 12);
    const limit = target + load<u32>(steps, 16);
    const end = source + length;
    reached = source + load<u32>(steps);
    openRun = target + load<u32>(steps, 4);
    written = target + load<u32>(steps, 8);
    seen = table;
    const stop = min(<u64>reached + budget, <u64>end);
    if (!goOn(source, end, <usize>stop, 0, limit)) return 0;
    if (reached >= end - 2) return finish(end, target, limit);
    store<u32>(steps, <u32>(reached - source));
    store<u32>(steps, <u32>(openRun - target), 4);
    store<u32>(steps, <u32>(written - target), 8);
    return LZF_OPEN;
  }
}

export const LZF_STEPS: u32 = 20;
export const LZF_OPEN: i64 = -1;

/**
 * Expands `length` bytes into exactly `expected` bytes. Whatever the input holds, nothing outside the two areas is
 * read or written.
 * @returns whether the input was whole and gave exactly that many bytes
 */
export function lzfDecompress(source: usize, length: u32, target: usize, expected: u32): bool {
  const end = source + length;
  const limit = target + expected;
  return expand(source, end, target, target, limit, limit) && expandedFrom == end && expandedTo == limit;
}

/** How far `lzfExpand` came: bytes read and bytes written. */
export let lzfRead: u32 = 0;
export let lzfWritten: u32 = 0;

/**
 * As `lzfDecompress`, in steps: goes on behind `read` bytes that gave `done` bytes, until about `budget` more are written.
 * @returns false = it is not whole or gives another number of bytes
 */
export function lzfExpand(
  source: usize,
  length: u32,
  target: usize,
  expected: u32,
  read: u32,
  done: u32,
  budget: u32,
): bool {
  const end = source + length;
  const limit = target + expected;
  const stop = min(<u64>target + done + budget, <u64>limit);
  if (!expand(source + read, end, target, target + done, <usize>stop, limit)) return false;
  lzfRead = <u32>(expandedFrom - source);
  lzfWritten = <u32>(expandedTo - target);
  return (lzfWritten == expected) == (lzfRead == length);
}

let expandedFrom: usize = 0;
let expandedTo: usize = 0;

/** Expands from `from` on, until all is read or `stop` is reached; false = it makes no sense. */
function expand(from: usize, end: usize, target: usize, to: usize, stop: usize, limit: usize): bool {
  let at = from;
  let out = to;
  while (at < end && out < stop) {
    const control = load<u8>(at++) as usize;
    if (control < 32) {
      const literals = control + 1;
      if (literals > end - at || literals > limit - out) return false;
      if (literals <= 16 && end - at >= 16 && limit - out >= 16) v128.store(out, v128.load(at));
      else memory.copy(out, at, literals);
      at += literals;
      out += literals;
      continue;
    }
    let count = (control >> 5) + 2;
    if (count == 9) {
      if (at >= end) return false;
      count += load<u8>(at++);
    }
    if (at >= end) return false;
    const back = (((control & 31) << 8) | load<u8>(at++)) + 1;
    if (back > out - target || count > limit - out) return false;
    copyBack(out, back, count, limit - out);
    out += count;
  }
  expandedFrom = at;
  expandedTo = out;
  return true;
}

/**
 * Copies `count` bytes from `back` bytes before, which they may overlap; `room` bytes may be written. Matches are short
 * and a call of the bulk instruction is not: what is written too much is overwritten by what comes next.
 */
function copyBack(out: usize, back: usize, count: usize, room: usize): void {
  if (back >= 16 && room >= count + 15) {
    for (let i: usize = 0; i < count; i += 16) v128.store(out + i, v128.load(out + i - back));
  } else if (back >= count) {
    memory.copy(out, out - back, count);
  } else {
    for (let i: usize = 0; i < count; i++) store<u8>(out + i, load<u8>(out + i - back));
  }
}
