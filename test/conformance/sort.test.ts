// SORT against redis-server: see sort.stream.ts.
import { conformance } from "./harness/conformance.ts";
import { sortingStep } from "./sort.stream.ts";

conformance("sorting", sortingStep, { steps: 10_000 });
