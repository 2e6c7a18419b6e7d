// Real servers on a busy machine take their time; whatever a test waits for has a limit of its own below this one.
// When a test runs into this limit, bun kills the processes it started, and what follows fails for that reason alone.
import { setDefaultTimeout } from "bun:test";

setDefaultTimeout(60_000);
