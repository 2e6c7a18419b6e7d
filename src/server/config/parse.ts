// The grammar of redis.conf and of the command line: both become lines of words that `applyLines` hands to a Config.
// Later lines override earlier ones, and the command line comes after the file.
import { reasonOf } from "../../io/reason.ts";
import { ConfigError } from "./kinds.ts";
import { FOREIGN, findDirective, spellings } from "./directives.ts";
import type { Config } from "./config.ts";
import { nearest } from "./nearest.ts";

/** One directive as written. */
export interface Line {
  /** As it stands there, for error messages. */
  readonly text: string;
  readonly words: readonly string[];
  /** Where it stands: `the configuration file ./redis.conf, at line 2` or `the command line`. */
  readonly where: string;
}

/** The configuration cannot be read; the message is what the operator is told before the process stops. */
export class FatalConfigError extends Error {
  override readonly name = "FatalConfigError";

  static at(line: Omit<Line, "words">, reason: string): FatalConfigError {
    return new FatalConfigError(`Reading ${line.where}\n>>> '${line.text}'\n${reason}`);
  }
}

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };

/**
 * The words of a line, quotes removed: "..." knows \n \r \t \b \a \xHH and \ before anything else, '...' only \'.
 * @returns undefined when quotes do not balance or a closing quote touches the next word.
 */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && /\s/.test(line[at] ?? "")) at++;
    if (at >= line.length) return words;
    let word = "";
    while (at < line.length && !/\s/.test(line[at] ?? "")) {
      const char = line[at] ?? "";
      if (char !== '"' && char !== "'") {
        word += char;
        at++;
        continue;
      }
      const quoted = readQuoted(line, at);
      if (quoted === undefined) return undefined;
      word += quoted.text;
      at = quoted.end;
      if (at < line.length && !/\s/.test(line[at] ?? "")) return undefined;
    }
    words.push(word);
  }
}

/** The quoted run that opens at `start`; `end` is just after its closing quote. */
function readQuoted(line: string, start: number): { text: string; end: number } | undefined {
  const mark = line[start];
  let text = "";
  for (let at = start + 1; at < line.length; at++) {
    const char = line[at] ?? "";
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

/** The lines of a configuration file's text; empty ones and comments are left out. Throws FatalConfigError. */
export function readLines(content: string, source: string): Line[] {
  const lines: Line[] = [];
  for (const [index, raw] of content.split("\n").entries()) {
    const text = raw.trim();
    if (text === "" || text.startsWith("#")) continue;
    const where = `the configuration file ${source}, at line ${index + 1}`;
    const words = splitWords(text);
    if (words === undefined)
      throw FatalConfigError.at({ text, where }, "Unbalanced quotes in configuration line");
    if (words.length > 0) lines.push({ text, words, where });
  }
  return lines;
}

export interface Arguments {
  /** The configuration file to read first. */
  readonly file: string | undefined;
  /** `-`: more configuration comes on standard input, after the file. */
  readonly stdin: boolean;
  readonly lines: readonly Line[];
}

/**
 * Reads `[file] [-] [--directive value ...] [-]`. A word that begins with `--` starts a directive, unless the one
 * before has no value yet and this is no directive's name (`--proc-title-template --mine--`).
 */
export function readArguments(args: readonly string[]): Arguments {
  let stdin = false;
  let file: string | undefined;
  const options: string[][] = [];
  for (const [index, arg] of args.entries()) {
    const current = options.at(-1);
    const name = arg.startsWith("--") ? arg.slice(2) : undefined;
    const known = name !== undefined && (findDirective(name) !== undefined || Object.hasOwn(FOREIGN, name));
    if (arg === "-" && (index === 0 || index === args.length - 1)) stdin = true;
    else if (name !== undefined && (known || current === undefined || current.length > 1))
      options.push([name]);
    else if (current !== undefined) current.push(arg);
    else if (index === 0) file = arg;
    else options.push([arg]);
  }
  const where = "the command line";
  const lines = options.map((words) => {
    const bareSave = words.length === 1 && words[0]?.toLowerCase() === "save";
    return { text: words.join(" "), words: bareSave ? ["save", ""] : words, where };
  });
  return { file, stdin, lines };
}

/** How `include` reaches other files. */
export interface Files {
  /** Throws an Error that says why it cannot. */
  read(path: string): string;
  /** The files a pattern with `*`, `?` or `[` names, in order. */
  expand(pattern: string): readonly string[];
}

const DEEPEST_INCLUDE = 16;

/** Gives every line to `config`, included files' lines where they are included. Throws FatalConfigError. */
export function applyLines(config: Config, lines: readonly Line[], files: Files, depth = 0): void {
  for (const line of lines) {
    const [name = "", ...words] = line.words;
    if (name.toLowerCase() === "include") include(config, line, files, depth);
    else applyLine(config, line, name, words);
  }
}

function applyLine(config: Config, line: Line, name: string, words: readonly string[]): void {
  const directive = findDirective(name);
  if (directive === undefined) throw FatalConfigError.at(line, unknownReason(name));
  try {
    config.load(directive, words);
  } catch (error) {
    if (error instanceof ConfigError) throw FatalConfigError.at(line, error.message);
    throw error;
  }
}

function include(config: Config, line: Line, files: Files, depth: number): void {
  const [, pattern, ...rest] = line.words;
  if (pattern === undefined || rest.length > 0) throw FatalConfigError.at(line, "wrong number of arguments");
  if (depth >= DEEPEST_INCLUDE) throw FatalConfigError.at(line, "files include each other without end");
  const paths = /[*?[]/.test(pattern) ? files.expand(pattern) : [pattern];
  for (const path of paths) applyLines(config, readLines(readFile(files, path), path), files, depth + 1);
}

/** The file's text; an unreadable one stops the start. */
export function readFile(files: Files, path: string): string {
  try {
    return files.read(path);
  } catch (error) {
    throw new FatalConfigError(`Fatal error, can't open config file '${path}': ${reasonOf(error)}`);
  }
}

/** Why a first word is no directive, with the one that was probably meant. */
function unknownReason(name: string): string {
  const foreign = Object.hasOwn(FOREIGN, name.toLowerCase()) ? FOREIGN[name.toLowerCase()] : undefined;
  if (foreign !== undefined) return foreign;
  const meant = nearest(name, spellings());
  const bad = "Bad directive or wrong number of arguments";
  return meant === undefined ? bad : `${bad}: did you mean '${meant}'?`;
}
