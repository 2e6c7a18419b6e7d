// Words of a line and back: the quoting of redis.conf. All of it is text that stands for bytes, see byte-text.ts.

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };
const LETTERS: Readonly<Record<string, string>> = {
  "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\x07": "\\a", '"': '\\"', "\\": "\\\\",
}; // prettier-ignore

/** What C calls a space stands between words; of these a word without quotes ends only at the first four. */
const SPACES = " \t\n\r\v\f";
const ENDS = " \t\n\r";

/** Text as one word of a configuration line: in quotes, with what is no printable ASCII escaped. */
export function quote(text: string): string {
  return `"${text.replace(/[^ !#-[\]-~]/g, escaped)}"`;
}

/** The same without quotes where none are needed. */
export const quoteIfNeeded = (text: string): string =>
  /^[!$-&(-[\]-~][!#-&(-[\]-~]*$/.test(text) ? text : quote(text);

function escaped(char: string): string {
  return LETTERS[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/**
 * The words of a line, quotes removed: "..." knows \n \r \t \b \a \xHH and \ before anything else, '...' only \'.
 * @returns undefined when quotes do not balance or a closing quote touches the next word.
 */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && SPACES.includes(line[at]!)) at++;
    if (at >= line.length) return words;
    let word = "";
    while (at < line.length && !ENDS.includes(line[at]!)) {
      const char = line[at]!;
      if (char !== '"' && char !== "'") {
        word += char;
        at++;
        continue;
      }
      const quoted = readQuoted(line, at);
      if (quoted === undefined) return undefined;
      word += quoted.text;
      at = quoted.end;
      if (at < line.length && !SPACES.includes(line[at]!)) return undefined;
      break;
    }
    words.push(word);
  }
}

/** The quoted run that opens at `start`; `end` is just after its closing quote. */
function readQuoted(line: string, start: number): { text: string; end: number } | undefined {
  const mark = line[start];
  let text = "";
  for (let at = start + 1; at < line.length; at++) {
    const char = line[at]!;
    if (char === mark) return { text, end: at + 1 };
    const next = line[at + 1];
    if (char !== "\\" || next === undefined || (mark === "'" && next !== "'")) {
      text += char;
      continue;
    }
    at++;
    const hex = line.slice(at + 1, at + 3);
    if (mark === '"' && next === "x" && /^[0-9a-fA-F]{2}$/.test(hex)) {
      text += String.fromCharCode(Number.parseInt(hex, 16));
      at += 2;
    } else {
      text += mark === '"' ? (ESCAPES[next] ?? next) : next;
    }
  }
  return undefined;
}
