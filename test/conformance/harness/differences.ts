// Where ours is meant to answer differently from redis-server 7.0.15, each with its reason. Everything not listed
// here is a fault.
import { plain, type Reply } from "../../support/resp.ts";
import type { Mode, Request } from "./step.ts";

export interface Intended {
  readonly reason: string;
  matches(request: Request, theirs: Reply, ours: Reply, mode: Mode): boolean;
}

const name = (request: Request): string => String(request.args[0]).toLowerCase();
const option = (request: Request): string => String(request.args[1] ?? "").toLowerCase();

const INTENDED: readonly Intended[] = [
  {
    reason: "moments of expiry are doubles: beyond 2^53 ms, in the year 287396, they are rounded",
    matches: (request, theirs, ours) =>
      ["pexpiretime", "pttl"].includes(name(request)) &&
      [theirs, ours].every((reply) => Number(plain(reply.value)) > Number.MAX_SAFE_INTEGER - 2e12),
  },
  {
    reason: "so two such moments may be one, and neither is the later",
    matches: (request, theirs, ours) =>
      /^p?expire(at)?$/.test(name(request)) &&
      [theirs, ours].every((reply) => reply.value.kind === "integer") &&
      Number(request.args[2]) > Number.MAX_SAFE_INTEGER / 1000,
  },
  {
    reason: "values are never shared: REFCOUNT tells what Redis shares, but not that its COPY does not",
    matches: (request, theirs, ours) =>
      option(request) === "refcount" && plain(theirs.value) === 1 && plain(ours.value) === 2 ** 31 - 1,
  },
  {
    reason: "LOLWUT draws our own picture; only the kind of reply is kept",
    matches: (request, theirs, ours) => name(request) === "lolwut" && theirs.value.kind === ours.value.kind,
  },
  {
    reason: "help texts are our own words",
    matches: (request, theirs, ours) =>
      option(request) === "help" && theirs.value.kind === "array" && ours.value.kind === "array",
  },
];

/** The reason why this difference is meant, if it is. */
export function intended(request: Request, theirs: Reply, ours: Reply, mode: Mode): string | undefined {
  return INTENDED.find((difference) => difference.matches(request, theirs, ours, mode))?.reason;
}
