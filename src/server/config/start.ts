// The configuration a node starts with: defaults, then the file, then standard input, then the command line.
import { absolute, expand, readStandardInput, readText } from "../../io/disk.ts";
import { Config } from "./config.ts";
import { type Files, FatalConfigError, applyLines, readArguments, readFile, readLines } from "./parse.ts";

interface Sources extends Files {
  readStandardInput(): string;
  absolute(path: string): string;
}

/** The disk and standard input as they are. */
const AROUND: Sources = { read: readText, expand, readStandardInput, absolute };

/**
 * @param args the words after `server` on the command line
 * @returns the settings; throws FatalConfigError with a message for the operator.
 */
export function configure(args: readonly string[], sources: Sources = AROUND): Config {
  const { file, stdin, lines } = readArguments(args);
  const config = new Config(file === undefined ? undefined : sources.absolute(file));
  if (file !== undefined) applyLines(config, readLines(readFile(sources, file), file), sources);
  if (stdin) applyLines(config, readLines(sources.readStandardInput(), "(standard input)"), sources);
  applyLines(config, lines, sources);
  const conflict = config.conflict();
  if (conflict !== undefined) throw new FatalConfigError(conflict);
  return config;
}

/** What stands on standard error when the start fails. */
export function describeFatal(error: FatalConfigError, version: string): string {
  return `*** FATAL CONFIG FILE ERROR (slotmesh ${version}) ***\n${error.message}`;
}
