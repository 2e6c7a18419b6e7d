// Redis's glob patterns over bytes, as MATCH of HSCAN, SSCAN and ZSCAN has them: `*`, `?`, `[a-z]`, `[^a]`, `\` before
// a literal. An unfinished class is not an error, it reaches to the pattern's end.

const STAR: u8 = 42;
const QUESTION: u8 = 63;
const OPEN: u8 = 91;
const CLOSE: u8 = 93;
const CARET: u8 = 94;
const DASH: u8 = 45;
const BACKSLASH: u8 = 92;

/** Where the next element of the pattern begins. */
let next: usize = 0;

/** Whether a text fits a whole pattern. An empty text fits only an empty pattern. */
export function matchesGlob(pattern: usize, patternLength: u32, text: usize, length: u32): bool {
  const patternEnd = pattern + patternLength;
  if (length == 0) return patternLength == 0;
  const end = text + length;
  let at = text;
  let p = pattern;
  // Only the last star seen can need another try: it can give any byte an earlier one could.
  let star: usize = 0;
  let starAt: usize = 0;
  while (at < end) {
    if (p < patternEnd && load<u8>(p) == STAR) {
      star = ++p;
      starAt = at;
    } else if (p < patternEnd && fitsByte(p, patternEnd, load<u8>(at))) {
      p = next;
      at++;
    } else {
      if (star == 0) return false;
      p = star;
      at = ++starAt;
    }
  }
  while (p < patternEnd && load<u8>(p) == STAR) p++;
  return p == patternEnd;
}

/** Holds the element at `p`, not a star, against one byte. */
function fitsByte(p: usize, end: usize, byte: u8): bool {
  const head = load<u8>(p);
  if (head == OPEN) return fitsClass(p + 1, end, byte);
  if (head == QUESTION) {
    next = p + 1;
    return true;
  }
  const literal = head == BACKSLASH && p + 1 < end ? p + 1 : p;
  next = literal + 1;
  return load<u8>(literal) == byte;
}

/** A class from behind its bracket. */
function fitsClass(p: usize, end: usize, byte: u8): bool {
  const isNegated = p < end && load<u8>(p) == CARET;
  let at = isNegated ? p + 1 : p;
  let isFound = false;
  while (at < end && load<u8>(at) != CLOSE) {
    if (load<u8>(at) == BACKSLASH && at + 1 < end) {
      if (load<u8>(at, 1) == byte) isFound = true;
      at += 2;
    } else if (at + 2 < end && load<u8>(at, 1) == DASH) {
      if (isWithin(load<i8>(at), load<i8>(at, 2), <i8>byte)) isFound = true;
      at += 3;
    } else {
      if (load<u8>(at) == byte) isFound = true;
      at++;
    }
  }
  next = min(at + 1, end);
  return isFound != isNegated;
}

/** Ends may come in any order; bytes compare as C's signed characters. */
function isWithin(first: i8, last: i8, byte: i8): bool {
  return first <= last ? byte >= first && byte <= last : byte >= last && byte <= first;
}
