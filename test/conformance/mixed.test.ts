// All types on the same few keys against redis-server: see mixed.stream.ts.
import { conformance } from "./harness/conformance.ts";
import { mixedStep } from "./mixed.stream.ts";

conformance("all types", mixedStep, { steps: 15_000 });
