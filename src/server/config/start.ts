// The configuration a node starts with: defaults, then the file, then standard input, then the command line.
import { absolute, expand, readByteText, readStandardInput } from "../../io/disk.ts";
import { toUnicode } from "../../resp/byte-text.ts";
import { readArguments } from "./arguments.ts";
import { Config } from "./config.ts";
import { FatalConfigError, readFileLines } from "./lines.ts";
import { type Files, applyLines, readFile } from "./parse.ts";

interface Sources extends Files {
  readStandardInput(): string;
  absolute(path: string): string;
}

/** The disk and standard input as they are. */
const AROUND: Sources = { read: readByteText, expand, readStandardInput, absolute };

/**
 * @param args the words after `server` on the command line, as text that stands for bytes
 * @returns the settings; throws FatalConfigError with a message for the operator.
 */
export function configure(args: readonly string[], sources: Sources = AROUND): Config {
  const { file: name, stdin, lines } = readArguments(args);
  const file = name === undefined ? undefined : toUnicode(name);
  const config = new Config(file === undefined ? undefined : sources.absolute(file));
  if (file !== undefined) applyLines(config, readFileLines(readFile(sources, file), file), sources);
  if (stdin) applyLines(config, readFileLines(sources.readStandardInput(), "(standard input)"), sources);
  applyLines(config, lines, sources);
  const conflict = config.conflict();
  if (conflict !== undefined) throw new FatalConfigError(conflict);
  return config;
}

/** What stands on standard error when the start fails. */
export function describeFatal(error: FatalConfigError, version: string): string {
  return `*** FATAL CONFIG FILE ERROR (slotmesh ${version}) ***\n${error.message}`;
}
