// Sorted sets against redis-server: see sortedsets.stream.ts.
import { conformance } from "./harness/conformance.ts";
import { sortedSetStep } from "./sortedsets.stream.ts";

conformance("sorted sets", sortedSetStep, { steps: 10_000 });
