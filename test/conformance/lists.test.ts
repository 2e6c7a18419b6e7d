// Lists against redis-server: see lists.stream.ts.
import { conformance } from "./harness/conformance.ts";
import { listStep } from "./lists.stream.ts";

conformance("lists", listStep, { steps: 10_000 });
