// The command line as lines of configuration: `--port 8001` reads as `port "8001"` does in a file, after the file.
import { ENGINE_BUILDS, type EngineBuild } from "../../engine/binary.ts";
import { FatalConfigError, readLines, type Line } from "./lines.ts";
import { quote, quoteIfNeeded, splitWords } from "./words.ts";

export interface Arguments {
  /** The configuration file to read first. */
  readonly file: string | undefined;
  /** `-`: more configuration comes on standard input, after the file. */
  readonly stdin: boolean;
  readonly lines: readonly Line[];
  /** What `--engine` asks for, which is no directive: the build of the engine that runs. */
  readonly engine: EngineBuild | undefined;
}

/**
 * Reads `[file] [-] [--directive value ...] ["--directive value"] [-]` as Redis 7.0 does. A word that begins with `--`
 * starts a directive, unless the one before has no value yet (`--requirepass --secret--`); `--save` may go without.
 * A word that starts a directive may hold values too, in the grammar of a file; every other word is one value as it is.
 * Throws FatalConfigError.
 */
export function readArguments(args: readonly string[]): Arguments {
  const [first = "-"] = args;
  const file = first.startsWith("-") ? undefined : first;
  const options: string[] = [];
  let stdin = false;
  let wantsValue = false;
  for (let i = file === undefined ? 0 : 1; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "-" && (i === 0 || i === args.length - 1)) stdin = true;
    else if (arg.startsWith("--") && !wantsValue) {
      const isBareSave = arg.toLowerCase() === "--save" && (args[i + 1]?.startsWith("--") ?? true);
      options.push(isBareSave ? 'save ""' : `${arg.slice(2)} `);
      wantsValue = !isBareSave && splitWords(arg)?.length === 1;
    } else {
      options.push(`${options.pop() ?? ""}${quote(arg)} `);
      wantsValue = false;
    }
  }
  const all = readLines(options.join("\n"), () => "the command line");
  const engine = all.filter(isEngine).map(buildOf).at(-1);
  return { file, stdin, lines: all.filter((line) => !isEngine(line)), engine };
}

const isEngine = ({ words }: Line): boolean => words[0]?.toLowerCase() === "engine";

function buildOf(line: Line): EngineBuild {
  const build = ENGINE_BUILDS.find((name) => line.words.length === 2 && name === line.words[1]);
  if (build === undefined)
    throw FatalConfigError.at(line, `--engine takes one of ${ENGINE_BUILDS.join(", ")}`);
  return build;
}

/** A line as the one word of a command line that says the same. */
export const argumentOf = ({ words }: Line): string =>
  `--${(words.length === 1 ? [...words, ""] : words).map(quoteIfNeeded).join(" ")}`;
