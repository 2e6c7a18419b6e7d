// A long string written in steps, in the same bytes as `writeString` (rdbwrite.ts) gives in one.
//
// Between steps the string may move, so it is handed in anew each time. First it is compressed, into a block of its own:
// how long that is stands before it. Then its head is written, then its bytes, compressed or as they are.
//
//   job  | LzfSteps, 20 bytes | packed u32 | unused 40 | table, LZF_TABLE bytes | compressed bytes |
import { alloc, free } from "./heap";
import { LZF_OPEN, LZF_STEPS, LZF_TABLE, LzfSteps } from "./lzf";
import { Out, compresses, reserve, writeCompressedHead, writeLength, writeString } from "./rdbwrite";

/** Longest string that is written at once, and read to be compressed at once. */
export const WHOLE_TEXT: u32 = 65536;
const HEAD: u32 = 64;
const LARGEST: u64 = 0xf0000000;

const NOT_BEGUN: u32 = 0;
const COMPRESSING: u32 = 1;
const COPYING: u32 = 2;

/** Whether strings are written in steps at all. */
let isStepping: bool = false;
let phase: u32 = NOT_BEGUN;
/** While it is compressed and where its compressed bytes stand; 0 = none. */
let job: usize = 0;
/** Of what is copied: bytes that are written. */
let copied: u32 = 0;

export abstract class LongText {
  /** Whether the string handed to `writeText` last is not wholly written: the next call goes on with it. */
  @inline static isOpen(): bool {
    return phase != NOT_BEGUN;
  }
  @inline static phase(): u32 {
    return phase;
  }
  @inline static job(): usize {
    return job;
  }
  @inline static copied(): u32 {
    return copied;
  }
  /** Long strings are written in steps from here on, the first of them going on where it stopped. */
  static resume(phaseThen: u32, jobThen: usize, copiedThen: u32): void {
    isStepping = true;
    phase = phaseThen;
    job = jobThen;
    copied = copiedThen;
  }
  /** All strings are written at once again. */
  static suspend(): void {
    isStepping = false;
    phase = NOT_BEGUN;
    job = 0;
  }
}

/** Writes a string, or as much of it as leaves about `enough` bytes in the block; false = no memory. */
export function writeText(ptr: usize, size: u32, enough: u32): bool {
  if (!isStepping || size <= WHOLE_TEXT) return writeString(ptr, size);
  if (phase == NOT_BEGUN) return beginText(size);
  if (phase == COMPRESSING) return compressMore(ptr, size, enough);
  return copyMore(ptr, size, enough);
}

function beginText(size: u32): bool {
  if (!compresses) return beginCopy(size);
  const bytes = <u64>HEAD + LZF_TABLE + size;
  job = bytes > LARGEST ? 0 : alloc(<u32>bytes);
  if (job == 0) return false;
  const table = job + HEAD;
  LzfSteps.begin(job, size, size - 4, table);
  phase = COMPRESSING;
  return true;
}

function compressMore(ptr: usize, size: u32, enough: u32): bool {
  const table = job + HEAD;
  const packed = LzfSteps.more(job, ptr, table + LZF_TABLE, table, max(enough, WHOLE_TEXT));
  if (packed == LZF_OPEN) return true;
  if (packed == 0) {
    free(job);
    job = 0;
  } else {
    store<u32>(job, <u32>packed, LZF_STEPS);
  }
  return beginCopy(size);
}

function beginCopy(size: u32): bool {
  if (!reserve(16)) return false;
  if (job == 0) writeLength(size);
  else writeCompressedHead(load<u32>(job, LZF_STEPS), size);
  copied = 0;
  phase = COPYING;
  return true;
}

function copyMore(ptr: usize, size: u32, enough: u32): bool {
  const from = job == 0 ? ptr : job + HEAD + LZF_TABLE;
  const length = job == 0 ? size : load<u32>(job, LZF_STEPS);
  const room = enough > Out.length() ? enough - Out.length() : 0;
  const piece = min(length - copied, max(room, WHOLE_TEXT));
  if (!reserve(piece)) return false;
  Out.bytes(from + copied, piece);
  copied += piece;
  if (copied < length) return true;
  if (job != 0) free(job);
  job = 0;
  phase = NOT_BEGUN;
  return true;
}
