// What the lines of a configuration do to a Config, and those of the files they include. Later lines override earlier
// ones, and the command line comes after the file.
import { reasonOf } from "../../io/reason.ts";
import { toUnicode } from "../../resp/byte-text.ts";
import { ConfigError } from "./kinds.ts";
import { FOREIGN, RETIRED, findDirective, spellings } from "./directives.ts";
import type { Config } from "./config.ts";
import { FatalConfigError, type Line, readFileLines } from "./lines.ts";
import { nearest } from "./nearest.ts";

/** How `include` reaches other files. */
export interface Files {
  /** The file's bytes, a character for each. Throws an Error that says why it cannot. */
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
  if (directive === undefined && RETIRED.has(name.toLowerCase()) && words.length === 1) return;
  if (directive === undefined) throw FatalConfigError.at(line, unknownReason(name));
  try {
    config.load(directive, words);
  } catch (error) {
    if (error instanceof ConfigError) throw FatalConfigError.at(line, error.message);
    throw error;
  }
}

function include(config: Config, line: Line, files: Files, depth: number): void {
  const [, word, ...rest] = line.words;
  if (word === undefined || rest.length > 0) throw FatalConfigError.at(line, "wrong number of arguments");
  if (depth >= DEEPEST_INCLUDE) throw FatalConfigError.at(line, "files include each other without end");
  const pattern = toUnicode(word);
  const paths = /[*?[]/.test(pattern) ? files.expand(pattern) : [pattern];
  for (const path of paths) {
    const content = readFile(files, path, (reason) => FatalConfigError.at(line, reason));
    applyLines(config, readFileLines(content, path), files, depth + 1);
  }
}

/** What the file holds; an unreadable one stops the start. */
export function readFile(
  files: Files,
  path: string,
  refusal = (reason: string) => new FatalConfigError(reason),
): string {
  try {
    return files.read(path);
  } catch (error) {
    throw refusal(`Fatal error, can't open config file '${path}': ${reasonOf(error)}`);
  }
}

/** Why a first word is no directive, with the one that was probably meant. */
function unknownReason(name: string): string {
  const foreign = Object.hasOwn(FOREIGN, name.toLowerCase()) ? FOREIGN[name.toLowerCase()] : undefined;
  if (foreign !== undefined) return foreign;
  const meant = RETIRED.has(name.toLowerCase()) ? undefined : nearest(name, spellings());
  const bad = "Bad directive or wrong number of arguments";
  return meant === undefined ? bad : `${bad}: did you mean '${meant}'?`;
}
