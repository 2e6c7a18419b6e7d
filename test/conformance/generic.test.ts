// Keys of any type against redis-server: see generic.stream.ts.
import { conformance } from "./harness/conformance.ts";
import { genericStep } from "./generic.stream.ts";

conformance("keys of any type", genericStep, { steps: 6_000 });
