// The flags a row may carry, as names for COMMAND INFO and as bits for the checks each request passes.

/** In the order COMMAND INFO prints them. */
export const printedFlags = [
  "write",
  "readonly",
  "denyoom",
  "admin",
  "pubsub",
  "noscript",
  "blocking",
  "loading",
  "stale",
  "skip_monitor",
  "skip_slowlog",
  "asking",
  "fast",
  "no_auth",
  "no_mandatory_keys",
  "no_async_loading",
  "no_multi",
  "allow_busy",
] as const;

/** Known to the server alone: COMMAND INFO of Redis 7.0 does not print them. */
export const silentFlags = ["may_replicate", "protected"] as const;

export type Flag = (typeof printedFlags)[number] | (typeof silentFlags)[number];

/** One bit per flag; a row's bits are `table.flags[id]`. */
export const flagBit = {
  write: 1 << 0,
  readonly: 1 << 1,
  denyoom: 1 << 2,
  admin: 1 << 3,
  pubsub: 1 << 4,
  noscript: 1 << 5,
  blocking: 1 << 6,
  loading: 1 << 7,
  stale: 1 << 8,
  skip_monitor: 1 << 9,
  skip_slowlog: 1 << 10,
  asking: 1 << 11,
  fast: 1 << 12,
  no_auth: 1 << 13,
  no_mandatory_keys: 1 << 14,
  no_async_loading: 1 << 15,
  no_multi: 1 << 16,
  allow_busy: 1 << 17,
  may_replicate: 1 << 18,
  protected: 1 << 19,
} as const satisfies Record<Flag, number>;

export function bitsOf(flags: readonly Flag[]): number {
  let bits = 0;
  for (const flag of flags) bits |= flagBit[flag];
  return bits;
}
