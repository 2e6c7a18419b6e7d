// Sets against redis-server: see sets.stream.ts.
import { conformance } from "./harness/conformance.ts";
import { setStep } from "./sets.stream.ts";

conformance("sets", setStep, { steps: 10_000 });
