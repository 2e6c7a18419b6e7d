// A child process as tests see it: its output kept and readable line by line, its end awaited, never left behind.
import { atExit, type Scope } from "./cleanup.ts";
import { eventually } from "./eventually.ts";

export interface Ended {
  /** Exit status; 128 + n when signal n ended it, as a shell says it. */
  readonly code: number;
  readonly output: string;
}

export interface SpawnOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads, all there from the start; "open" = what `say` is given, as it is given. */
  readonly stdin?: string | Uint8Array | "open";
  /** Makes it the leader of a process group of its own; signals then reach the whole group, as ctrl-C does. */
  readonly group?: boolean;
}

/**
 * Where the system offers it, the kernel kills a child whose parent is gone: `bun test` ends without telling anybody,
 * and a test that failed half-way may not have closed its scope.
 */
const LEASH = Bun.which("setpriv") === null ? [] : ["setpriv", "--pdeathsig", "KILL", "--"];

const GRACE_MS = 5000;
/** How long output may still arrive after the end, when a grandchild holds the pipe. */
const LAST_OUTPUT_MS = 1000;

export class Child {
  /** Standard output and standard error, in the order they came. */
  output = "";
  readonly stdout: Promise<string>;
  readonly exited: Promise<Ended>;
  readonly #stderr: Promise<string>;
  readonly #child: Bun.Subprocess<"ignore" | "pipe" | Uint8Array, "pipe", "pipe">;
  readonly #forget: () => void;
  readonly #target: number;

  constructor(
    readonly command: readonly string[],
    options: SpawnOptions = {},
  ) {
    this.#child = Bun.spawn([...LEASH, ...command], {
      stdin: standardInput(options.stdin),
      stdout: "pipe",
      stderr: "pipe",
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      detached: options.group === true,
    });
    this.#target = options.group === true ? -this.#child.pid : this.#child.pid;
    this.stdout = this.#collect(this.#child.stdout);
    this.#stderr = this.#collect(this.#child.stderr);
    this.#forget = atExit(() => this.kill("SIGKILL"));
    this.exited = this.#end();
  }

  get pid(): number {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.isRunning) process.kill(this.#target, signal);
  }

  /**
   * Waits until the output holds `text`, at or after character `from`. A process that ends before is a failure that
   * shows its output.
   */
  async waitForOutput(text: string | RegExp, timeoutMs = 10_000, from = 0): Promise<void> {
    const found = (): boolean =>
      typeof text === "string" ? this.output.includes(text, from) : text.test(this.output.slice(from));
    await eventually(() => found() || !this.isRunning, timeoutMs, `'${text}' in the output:\n${this.output}`);
    if (found()) return;
    const { code, output } = await this.exited;
    if (!found())
      throw new Error(`${this.command.join(" ")} ended with ${code} before '${text}':\n${output}`);
  }

  /** Types into its standard input, which `stdin: "open"` keeps open. */
  say(text: string): void {
    const input: unknown = this.#child.stdin;
    if (typeof input !== "object" || input === null || !("write" in input))
      throw new Error(`${this.command.join(" ")} was started without an open standard input`);
    const sink = input as Bun.FileSink;
    void sink.write(text);
    void sink.flush();
  }

  /** Asks it to end, insists after a while. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    this.kill(signal);
    this.kill("SIGCONT"); // a stopped process would not see the signal
    const insist = setTimeout(() => this.kill("SIGKILL"), GRACE_MS);
    const ended = await this.exited;
    clearTimeout(insist);
    return ended;
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<string> {
    const decoder = new TextDecoder();
    let all = "";
    for await (const chunk of stream) {
      const text = decoder.decode(chunk, { stream: true });
      all += text;
      this.output += text;
    }
    return all;
  }

  async #end(): Promise<Ended> {
    await this.#child.exited;
    this.#forget();
    await Promise.race([Promise.all([this.stdout, this.#stderr]), Bun.sleep(LAST_OUTPUT_MS)]);
    const { exitCode, signalCode } = this.#child;
    return { code: exitCode ?? 128 + signalNumber(signalCode), output: this.output };
  }
}

function standardInput(stdin: SpawnOptions["stdin"]): "ignore" | "pipe" | Uint8Array {
  if (stdin === undefined) return "ignore";
  if (stdin === "open") return "pipe";
  return typeof stdin === "string" ? Buffer.from(stdin) : stdin;
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

function signalNumber(signal: string | number | null): number {
  if (typeof signal === "number") return signal;
  return signal === null ? 0 : (SIGNALS[signal] ?? 127);
}

/** Starts a process that ends with the scope at the latest. */
export function spawn(scope: Scope, command: readonly string[], options: SpawnOptions = {}): Child {
  const child = new Child(command, options);
  scope.defer(async () => {
    await child.stop();
  });
  return child;
}

/** Runs a process to its end, killing it after `timeoutMs`. */
export async function run(
  command: readonly string[],
  options: SpawnOptions = {},
  timeoutMs = 30_000,
): Promise<Ended & { stdout: string }> {
  const child = new Child(command, options);
  const limit = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const ended = await child.exited;
  clearTimeout(limit);
  return { ...ended, stdout: await child.stdout };
}
