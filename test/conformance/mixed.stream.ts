// All types on the same few keys: commands of every stream meet values of other types, what others left of their own, and
// keys that went because their last element did.
import type { Random } from "../support/random.ts";
import type { Argument } from "../support/resp.ts";
import { genericStep } from "./generic.stream.ts";
import { isProbe, type Mode, type Request, type Step } from "./harness/step.ts";
import { hashStep } from "./hashes.stream.ts";
import { listStep } from "./lists.stream.ts";
import { setStep } from "./sets.stream.ts";
import { sortedSetStep } from "./sortedsets.stream.ts";
import { stringStep } from "./strings.stream.ts";

const SHARED_KEYS = 12;
/** Names as the streams give them to keys: `{l}3`, `key:11`. */
const KEY = /^(?:\{[a-z]+\}|key:)(\d+)$/;

const shared = (n: number): string => `{m}${n % SHARED_KEYS}`;

function draw(random: Random, mode: Mode): Step {
  return random.weighted<Step>([
    [4, () => listStep(random, mode)],
    [4, () => hashStep(random)],
    [4, () => setStep(random, mode)],
    [4, () => sortedSetStep(random)],
    [2, () => stringStep(random, mode)],
    [1, () => genericStep(random, mode)],
    [2, () => ({ args: [random.pick(["DEL", "UNLINK"]), shared(random.below(SHARED_KEYS))] })],
    [1, () => ({ args: ["TYPE", shared(random.below(SHARED_KEYS))] })],
    [1, () => ({ args: ["OBJECT", "ENCODING", shared(random.below(SHARED_KEYS))] })],
  ]);
}

/** The same request about keys that all streams share. */
function onSharedKeys(request: Request): Request {
  const args = request.args.map((arg): Argument => {
    const n = typeof arg === "string" ? KEY.exec(arg)?.[1] : undefined;
    return n === undefined ? arg : shared(Number(n));
  });
  return { ...request, args };
}

function drawMixed(random: Random, mode: Mode): Step {
  const step = draw(random, mode);
  return isProbe(step) || random.chance(0.3) ? step : onSharedKeys(step);
}

/** Commands with a line in differences.ts, which looks at single replies. */
const DIFFERING: ReadonlySet<string> = new Set(["object", "lolwut"]);

const isMeantToDiffer = ({ args }: Request): boolean => DIFFERING.has(String(args[0]).toLowerCase());

/** Some requests whose replies are the same everywhere, as one transaction. */
function transaction(random: Random, mode: Mode): Step {
  const requests: (readonly Argument[])[] = [];
  for (let tries = random.between(1, 8); tries > 0; tries--) {
    const step = drawMixed(random, mode);
    if (!isProbe(step) && step.compare === undefined && !isMeantToDiffer(step)) requests.push(step.args);
  }
  return {
    name: `MULTI of ${requests.map((args) => args.map(String).join(" ")).join("; ")}`,
    find: async (client) => {
      const replies = await client.pipeline([["MULTI"], ...requests, ["EXEC"]]);
      return replies.map(({ raw }) => raw.toString("latin1")).join("");
    },
  };
}

export function mixedStep(random: Random, mode: Mode): Step {
  return random.chance(0.01) ? transaction(random, mode) : drawMixed(random, mode);
}
