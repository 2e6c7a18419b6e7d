// The end of a node that is asked for: by SHUTDOWN, a signal, or whoever runs the node in their process. Replicas that
// lag are waited for with writes held, so that a failover loses nothing; then what is to be saved is saved. Where that
// fails the node goes on, for its data is nowhere else.
import type { ShutdownRequest } from "../commands/administration.ts";
import { every, nowMs, soon, type Timer } from "../io/clock.ts";
import type { Node } from "./node.ts";

/** As operators and tools know it from Redis. */
const REFUSAL = "Errors trying to SHUTDOWN. Check logs.";
/** How long nothing runs any more until the process is gone. */
const LAST_MS = 60_000;
const LOOK_EVERY_MS = 10;

/** What `shutdown-on-sigterm` and `shutdown-on-sigint` ask for. */
export function signalRequest(node: Node, signal: "SIGTERM" | "SIGINT"): ShutdownRequest {
  const words = node.config.value(signal === "SIGTERM" ? "shutdown-on-sigterm" : "shutdown-on-sigint");
  const save = words.includes("save") ? true : words.includes("nosave") ? false : undefined;
  return { save, now: words.includes("now"), force: words.includes("force") };
}

/** Told why the node goes on; undefined = it ends. */
type Answer = (refusal: string | undefined) => void;

interface Wait {
  readonly timer: Timer;
  readonly answers: Answer[];
}

export class Ending {
  #wait: Wait | undefined;

  constructor(private readonly node: Node) {}

  /**
   * Ends the node once replicas have what was written, or `shutdown-timeout` is over.
   * @param answer called once, before this returns if there is nothing to wait for; whoever asks while the end is
   * under way is answered with the others
   */
  ask(request: ShutdownRequest, answer: Answer): void {
    const { node } = this;
    if (this.#wait !== undefined) return void this.#wait.answers.push(answer);
    const untilMs = nowMs() + node.config.number("shutdown-timeout") * 1000;
    node.settle();
    // Nothing is added to the stream to hurry them: a replica that ends at the same time shall have all of it.
    const offset = node.replication.offset;
    const isReady = (): boolean => nowMs() >= untilMs || node.replication.master.laggards(offset) === 0;
    if (request.now || isReady()) return this.#end(request, [answer]);
    node.log.write("notice", "Waiting for replicas before shutting down.");
    node.pauses.begin("shutdown", "write", untilMs);
    const timer = every(LOOK_EVERY_MS, () => {
      if (!isReady()) return;
      const lagging = node.replication.master.laggards(offset);
      if (lagging > 0) node.log.write("warning", `${lagging} replicas lag when the wait for them is over.`);
      this.#end(request, this.#wait?.answers ?? []);
    });
    this.#wait = { timer, answers: [answer] };
  }

  /** Whether there was an end to call off. */
  abort(): boolean {
    if (this.#wait === undefined) return false;
    this.node.log.write("warning", "Shutdown manually aborted.");
    this.#goOn(REFUSAL, this.#wait.answers);
    return true;
  }

  /**
   * Makes the node ready for its end at once: from here on no request runs, so that all that was answered is in the file.
   * @returns why the node must not end, for whoever asked; undefined = it may.
   */
  prepare(request: ShutdownRequest): string | undefined {
    const { node } = this;
    const { persistence, replication } = node;
    node.settle();
    persistence.abandon();
    const isDue = request.save ?? persistence.isWanted;
    // What is half loaded would replace what is whole.
    if (isDue && !replication.isLoading) {
      node.log.write("notice", "Saving the final RDB snapshot before exiting.");
      if (!persistence.save()) {
        const goesOn = request.force ? "exit anyway" : "can't exit";
        node.log.write("warning", `Error trying to save the DB, ${goesOn}.`);
        if (!request.force) return REFUSAL;
      }
    }
    node.pauses.begin("shutdown", "all", nowMs() + LAST_MS);
    return undefined;
  }

  stop(): void {
    this.#wait?.timer.stop();
    this.#wait = undefined;
  }

  #end(request: ShutdownRequest, answers: readonly Answer[]): void {
    const refusal = this.prepare(request);
    if (refusal !== undefined) return this.#goOn(refusal, answers);
    this.stop();
    for (const answer of answers) answer(undefined);
    soon(() => this.node.ended());
  }

  #goOn(refusal: string, answers: readonly Answer[]): void {
    this.stop();
    this.node.pauses.end("shutdown");
    for (const answer of answers) answer(refusal);
  }
}
