// Lines of configuration: what stands in redis.conf, comes on standard input or is made of the command line.
import { toUnicode } from "../../resp/byte-text.ts";
import { splitWords } from "./words.ts";

/** One directive as written. */
export interface Line {
  /** As it stands there, for error messages. */
  readonly text: string;
  readonly words: readonly string[];
  /** Where it stands: `the configuration file ./redis.conf, at line 2` or `the command line`. */
  readonly where: string;
}

/** Characters of a line an error message shows. */
const SHOWN = 200;
const MARGIN = " \t\r";

/** The configuration cannot be read; the message is what the operator is told before the process stops. */
export class FatalConfigError extends Error {
  override readonly name = "FatalConfigError";

  static at(line: Omit<Line, "words">, reason: string): FatalConfigError {
    return new FatalConfigError(`Reading ${line.where}\n>>> '${shown(line.text)}'\n${reason}`);
  }
}

/** A line as a terminal may be given it: what would steer it is escaped, and it is no longer than needed to find it. */
function shown(text: string): string {
  const whole = toUnicode(text);
  const start = whole.length > SHOWN ? `${whole.slice(0, SHOWN)}...` : whole;
  // oxlint-disable-next-line no-control-regex
  return start.replace(/[\x00-\x1f\x7f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/**
 * The lines of a text; empty ones and comments are left out. Throws FatalConfigError.
 * @param whereIs where a line of this number stands
 */
export function readLines(content: string, whereIs: (line: number) => string): Line[] {
  const lines: Line[] = [];
  for (const [index, raw] of content.split("\n").entries()) {
    const text = trimmed(raw);
    if (text === "" || text.startsWith("#")) continue;
    const where = whereIs(index + 1);
    if (text.includes("\0")) throw FatalConfigError.at({ text, where }, "NUL byte in configuration line");
    const words = splitWords(text);
    if (words === undefined)
      throw FatalConfigError.at({ text, where }, "Unbalanced quotes in configuration line");
    if (words.length > 0) lines.push({ text, words, where });
  }
  return lines;
}

function trimmed(line: string): string {
  let start = 0;
  let end = line.length;
  while (start < end && MARGIN.includes(line[start]!)) start++;
  while (end > start && MARGIN.includes(line[end - 1]!)) end--;
  return line.slice(start, end);
}

/** The lines of a file of this name. Throws FatalConfigError. */
export const readFileLines = (content: string, file: string): Line[] =>
  readLines(content, (line) => `the configuration file ${file}, at line ${line}`);
