// redis-cli --cluster as an operator uses it: questions answered once they are asked, and its output without the names
// that differ from run to run, so that what it says to two clusters can be compared.
import type { Scope } from "./cleanup.ts";
import { spawn } from "./process.ts";

/** A question, or its last words, and what is typed in answer. */
export type Answer = readonly [question: string, typed: string];

export interface Said {
  readonly code: number;
  readonly output: string;
}

export interface ManageOptions {
  /** In the order of the questions; each is typed when its question is on the screen, never before. */
  readonly answers?: readonly Answer[];
  readonly env?: Readonly<Record<string, string>>;
}

/** How long it may say nothing. 4000 slots take ten seconds or, on a busy machine, minutes; each of them is a line. */
const SILENCE_MS = 40_000;
/** How long a question may let wait for itself. */
const QUESTION_MS = 20_000;
/** Characters of its output that a failure tells. */
const SHOWN_LENGTH = 3000;

// oxlint-disable-next-line no-control-regex -- an escape sequence begins with a control character
const COLOUR = /\u001B\[[0-9;]*m/g;

/** `redis-cli --cluster …`; what it says and how it ends are for the caller to judge. */
export async function manage(
  scope: Scope,
  args: readonly (string | number)[],
  options: ManageOptions = {},
): Promise<Said> {
  const { answers = [], ...rest } = options;
  // Options of redis-cli itself may stand before `--cluster`.
  const whole = args.includes("--cluster") ? args : ["--cluster", ...args];
  const command = ["redis-cli", ...whole.map(String)];
  const child = spawn(scope, command, { ...rest, stdin: "open" });
  let [length, spokeAtMs] = [0, performance.now()];
  const watch = setInterval(() => {
    if (child.output.length > length) [length, spokeAtMs] = [child.output.length, performance.now()];
    else if (performance.now() - spokeAtMs > SILENCE_MS) child.kill("SIGKILL");
  }, 1000);
  try {
    // What was on the screen at the last answer: the next question stands after it.
    let seen = 0;
    for (const [question, typed] of answers) {
      await child.waitForOutput(question, QUESTION_MS, seen);
      seen = child.output.length;
      child.say(`${typed}\n`);
    }
    return await child.exited;
  } finally {
    clearInterval(watch);
  }
}

/** As `manage`, for what must succeed. */
export async function managed(
  scope: Scope,
  args: readonly (string | number)[],
  options: ManageOptions = {},
): Promise<string> {
  const { code, output } = await manage(scope, args, options);
  if (code !== 0) {
    const shown = output.replaceAll(/^ *Moving slot .*\n/gm, "").slice(-SHOWN_LENGTH);
    throw new Error(`redis-cli --cluster ${args.join(" ")} ended with ${code}:\n${shown}`);
  }
  return output;
}

/** A plan shows its parts indented, yet each is a statement of its own. */
const PLAN_LINE = /^ +(Moving slot|M:|Source nodes:|Destination node:|Resharding plan:)/;

/** What a node is called in a comparison, with the names it has in this run. */
export interface Named {
  readonly name: string;
  readonly port: number;
  /** Absent for a node that is in no cluster. */
  readonly id?: string;
}

/**
 * Output of redis-cli with nodes by name, as a list of statements: a line and those beneath it that are indented.
 * They are sorted, since redis-cli goes through nodes in the order in which a node happens to list them. Left out are
 * the dots that stand for keys that moved, as others may write, and the sizes of RDB files, which hold offsets.
 */
export function statements(output: string, nodes: readonly Named[]): string[] {
  let text = output;
  for (const { name, port, id } of nodes) {
    text = text.replaceAll(new RegExp(`127\\.0\\.0\\.1[: -]${port}\\b`, "g"), name);
    if (id !== undefined) text = text.replaceAll(id, `<${name}>`).replaceAll(id.slice(0, 8), `<${name}>`);
  }
  const found: string[] = [];
  for (const line of text.replaceAll(COLOUR, "").split("\n")) {
    const bare = line
      .replace(/^(Moving slot .*: )\.*/, "$1")
      .replace(/writing \d+ bytes/, "writing bytes")
      .trimEnd();
    // Dots of its own stand for seconds of waiting.
    if (/^\.*$/.test(bare) || bare.startsWith("Adding replica ")) continue;
    const isPart = bare.startsWith(" ") && !PLAN_LINE.test(bare);
    if (isPart && found.length > 0) found[found.length - 1] += `\n${bare.trimStart()}`;
    else found.push(bare.trimStart());
  }
  return found.toSorted();
}
