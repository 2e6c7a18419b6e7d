#!/usr/bin/env bun
// The command line: `slotmesh server [redis.conf] [--directive value ...]` and `slotmesh cluster`.
import { chooseEngine, chosenEngine, EngineMissing } from "./engine/binary.ts";
import { readArguments } from "./server/config/arguments.ts";
import { configure, describeFatal } from "./server/config/start.ts";
import { FatalConfigError } from "./server/config/lines.ts";
import { absolute, DiskError, remove, replaceFile } from "./io/disk.ts";
import { onAbandoned } from "./io/children.ts";
import {
  commandLine,
  exit,
  ignoreSignals,
  onSignal,
  onUncaught,
  print,
  printError,
  processId,
  runtime,
} from "./io/process.ts";
import { toUnicode } from "./resp/byte-text.ts";
import { CRASH_EXIT_CODE } from "./server/crash-report.ts";
import { signalRequest } from "./server/ending.ts";
import { provideEngine } from "./server/engine-build.ts";
import { Node } from "./server/node.ts";
import { StartError } from "./server/start-error.ts";
import { runCluster } from "./server/supervisor.ts";
import { VERSION } from "./server/version.ts";

const USAGE = `slotmesh ${VERSION}: a Redis-compatible cluster database

  slotmesh server [redis.conf] [--port 8001] [--dir data] [--any-directive value ...]
  slotmesh cluster [--masters 3] [--replicas 1] [--port 8001] [--dir data] [--any-directive value ...]
  slotmesh --version

  --engine debug    the engine that checks itself, for tracking a fault down
`;

/** @param args as text that stands for bytes: a password may be no UTF-8 */
function main(args: readonly string[]): void {
  const [command, ...rest] = args;
  switch (command) {
    case "server":
      return serve(rest);
    case "cluster":
      return asksForHelp(rest) ? print(USAGE) : void runCluster(rest);
    case "--version":
    case "-v":
      return print(`slotmesh ${VERSION} (${runtime})\n`);
    case "--help":
    case "-h":
    case undefined:
      return print(USAGE);
    default:
      printError(`slotmesh: unknown command '${toUnicode(command)}'\n\n${USAGE}`);
      exit(1);
  }
}

function asksForHelp(args: readonly string[]): boolean {
  return args.includes("--help") || args.includes("-h");
}

function serve(args: readonly string[]): void {
  const [first = ""] = args; // elsewhere these words are values
  if (["--version", "-v"].includes(first)) return print(`slotmesh ${VERSION} (${runtime})\n`);
  if (asksForHelp([first])) return print(USAGE);
  ignoreSignals("SIGHUP", "SIGALRM"); // as redis-server does: a terminal that closes takes no data with it
  let node: Node;
  try {
    const config = configure(args);
    const { engine = "release" } = readArguments(args);
    provideEngine(engine);
    chooseEngine(engine);
    node = new Node(config);
    onUncaught((cause) => node.domain.fail(cause));
    node.crashed = () => exit(CRASH_EXIT_CODE);
    node.start();
  } catch (error) {
    if (error instanceof FatalConfigError) printError(`${describeFatal(error, VERSION)}\n`);
    else if (error instanceof StartError || error instanceof EngineMissing)
      printError(`slotmesh: ${error.message}\n`);
    else throw error;
    return exit(1);
  }
  const removePidFile = writePidFile(node);
  node.crashed = () => {
    removePidFile();
    exit(CRASH_EXIT_CODE);
  };
  node.ended = () => {
    node.stop();
    removePidFile();
    exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    onSignal(signal, () => {
      node.log.write("warning", `Received ${signal}, shutting down.`);
      node.ending.ask(signalRequest(node, signal), () => {});
    });
  }
  onAbandoned(() => {
    node.log.write("warning", "The cluster's supervisor is gone, shutting down.");
    node.ending.prepare({ save: undefined, now: true, force: true });
    node.ended();
  });
  for (const name of node.config.moot()) {
    node.log.write(
      "warning",
      `The directive '${name}' has no effect here: '${toUnicode(node.config.text(name))}' is passed over`,
    );
  }
  greet(node);
}

/** Leaves the process id in `pidfile`, if one is wanted; what is returned takes it away again. */
function writePidFile(node: Node): () => void {
  const name = node.config.path("pidfile");
  if (name === "") return () => {};
  const path = absolute(name, node.directory);
  try {
    replaceFile(path, `${processId}\n`);
    return () => remove(path);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    node.log.write("warning", `Failed to write PID file ${path}: ${error.reason}`);
    return () => {};
  }
}

function greet(node: Node): void {
  const { port, busPort, cluster } = node;
  const bus = cluster === undefined ? "cluster mode off" : `bus port ${busPort}`;
  if (chosenEngine() === "debug")
    node.log.write("warning", "This is the debug engine: it checks itself after each command, and is slow.");
  node.log.write("notice", `slotmesh ${VERSION}, ${runtime}, port ${port}, ${bus}, pid ${processId}`);
  const next = cluster === undefined ? `redis-cli -p ${port}` : `redis-cli -c -p ${port}`;
  node.log.write("notice", `Ready to accept connections. Try: ${next} set key value`);
}

main(commandLine());
