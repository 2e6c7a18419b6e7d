// The end of a node that is asked for: by SHUTDOWN, a signal, or whoever runs the node in their process. What is to be
// saved is saved first; where that fails the node goes on, for its data is nowhere else.
import type { ShutdownRequest } from "../commands/administration.ts";
import { nowMs } from "../io/clock.ts";
import type { Node } from "./node.ts";

/** As operators and tools know it from Redis. */
const REFUSAL = "Errors trying to SHUTDOWN. Check logs.";
/** How long nothing runs any more until the process is gone. */
const LAST_MS = 60_000;

/** What `shutdown-on-sigterm` and `shutdown-on-sigint` ask for. */
export function signalRequest(node: Node, signal: "SIGTERM" | "SIGINT"): ShutdownRequest {
  const words = node.config.value(signal === "SIGTERM" ? "shutdown-on-sigterm" : "shutdown-on-sigint");
  const save = words.includes("save") ? true : words.includes("nosave") ? false : undefined;
  return { save, now: words.includes("now"), force: words.includes("force") };
}

/**
 * Makes the node ready for its end: from here on no request runs, so that all that was answered is in the file.
 * @returns why the node must not end, for whoever asked; undefined = it may.
 */
export function prepareEnd(node: Node, request: ShutdownRequest): string | undefined {
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
