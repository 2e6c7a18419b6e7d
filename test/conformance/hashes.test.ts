// Hashes against redis-server: see hashes.stream.ts.
import { conformance } from "./harness/conformance.ts";
import { hashStep } from "./hashes.stream.ts";

conformance("hashes", hashStep, { steps: 10_000 });
