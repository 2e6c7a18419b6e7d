// The error texts of the protocol, each written once. A handler throws one; dispatch alone catches it.

/** An error reply: its text as sent, code first, without the leading `-`. */
export class ReplyError extends Error {
  constructor(text: string) {
    super(text);
    this.name = "ReplyError";
  }
}

const fixed = (text: string): ReplyError => new ReplyError(text);

export const WRONG_TYPE = fixed("WRONGTYPE Operation against a key holding the wrong kind of value");
export const NOT_INTEGER = fixed("ERR value is not an integer or out of range");
export const NOT_FLOAT = fixed("ERR value is not a valid float");
export const SYNTAX = fixed("ERR syntax error");
export const OVERFLOW = fixed("ERR increment or decrement would overflow");
export const DECREMENT_OVERFLOW = fixed("ERR decrement would overflow");
export const NO_SUCH_KEY = fixed("ERR no such key");
export const OUT_OF_RANGE_OFFSET = fixed("ERR offset is out of range");
export const STRING_TOO_LONG = fixed("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
export const OUT_OF_MEMORY = fixed("OOM command not allowed when used memory > 'maxmemory'.");
export const NO_AUTH = fixed("NOAUTH Authentication required.");
export const CLUSTER_DISABLED = fixed("ERR This instance has cluster support disabled");
