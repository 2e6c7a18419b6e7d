// Strings against redis-server: see strings.stream.ts.
import { conformance } from "./harness/conformance.ts";
import { stringStep } from "./strings.stream.ts";

conformance("strings", stringStep, { steps: 10_000 });
