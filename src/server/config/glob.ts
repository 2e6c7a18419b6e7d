// Glob patterns as Redis writes them, over names of directives: * ? [a-z] [^a] and \ before anything.

/** Whether `pattern` covers all of `text`, whatever the case of either. */
export function matchesGlob(pattern: string, text: string): boolean {
  return matchFrom(pattern.toLowerCase(), 0, text.toLowerCase(), 0);
}

function matchFrom(pattern: string, p: number, text: string, t: number): boolean {
  let at = p;
  let seen = t;
  while (at < pattern.length) {
    const char = pattern[at] ?? "";
    if (char === "*") {
      while (pattern[at] === "*") at++;
      if (at === pattern.length) return true;
      for (let from = seen; from <= text.length; from++) if (matchFrom(pattern, at, text, from)) return true;
      return false;
    }
    if (seen >= text.length) return false;
    if (char === "[") {
      const set = matchSet(pattern, at + 1, text[seen] ?? "");
      if (!set.hit) return false;
      at = set.end;
    } else if (char === "?") {
      at++;
    } else {
      if (char === "\\" && at + 1 < pattern.length) at++;
      if (pattern[at] !== text[seen]) return false;
      at++;
    }
    seen++;
  }
  return seen === text.length;
}

/** Whether the set opened just before `start` has `char`; a set that is never closed runs to the pattern's end. */
function matchSet(pattern: string, start: number, char: string): { hit: boolean; end: number } {
  let at = start;
  const negated = pattern[at] === "^";
  if (negated) at++;
  let hit = false;
  while (at < pattern.length && pattern[at] !== "]") {
    if (pattern[at] === "\\" && at + 1 < pattern.length) at++;
    const low = pattern[at] ?? "";
    if (pattern[at + 1] === "-" && at + 2 < pattern.length) {
      const high = pattern[at + 2] ?? "";
      const [from, to] = low <= high ? [low, high] : [high, low];
      if (char >= from && char <= to) hit = true;
      at += 3;
    } else {
      if (low === char) hit = true;
      at++;
    }
  }
  return { hit: hit !== negated, end: at + 1 };
}
