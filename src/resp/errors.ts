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
export const PAYLOAD_REJECTED = fixed("ERR DUMP payload version or checksum are wrong");
export const CLUSTER_DISABLED = fixed("ERR This instance has cluster support disabled");

// Numbers of keys, and limits.
export const NUMKEYS_TOO_MANY = fixed("ERR Number of keys can't be greater than number of args");
export const NEGATIVE_LIMIT = fixed("ERR LIMIT can't be negative");

// Strings and keys whatever they hold.
export const NOT_FINITE = fixed("ERR increment would produce NaN or Infinity");
export const LCS_NOT_STRINGS = fixed("ERR The specified keys must contain string values");
export const LCS_AMBIGUOUS = fixed("ERR If you want both the length and indexes, please just use IDX.");
export const LCS_TOO_LARGE = fixed(
  "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
);
export const EXPIRE_NX_OTHERS = fixed("ERR NX and XX, GT or LT options at the same time are not compatible");
export const EXPIRE_GT_LT = fixed("ERR GT and LT options at the same time are not compatible");
export const SAME_OBJECT = fixed("ERR source and destination objects are the same");
export const DATABASE_OUT_OF_RANGE = fixed("ERR DB index is out of range");
export const INVALID_FIRST_DATABASE = fixed("ERR invalid first DB index");
export const INVALID_SECOND_DATABASE = fixed("ERR invalid second DB index");
export const SELECT_IN_CLUSTER = fixed("ERR SELECT is not allowed in cluster mode");
export const COPY_IN_CLUSTER = fixed("ERR Copying to another database is not allowed in cluster mode");
export const MOVE_IN_CLUSTER = fixed("ERR MOVE is not allowed in cluster mode");
export const SWAPDB_IN_CLUSTER = fixed("ERR SWAPDB is not allowed in cluster mode");
export const INVALID_CURSOR = fixed("ERR invalid cursor");
const POLICY_NOTE =
  "Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.";
export const IDLE_TIME_NOT_TRACKED = fixed(
  `ERR An LFU maxmemory policy is selected, idle time not tracked. ${POLICY_NOTE}`,
);
export const FREQUENCY_NOT_TRACKED = fixed(
  `ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${POLICY_NOTE}`,
);

// Hashes.
export const FIELD_NOT_INTEGER = fixed("ERR hash value is not an integer");
export const FIELD_NOT_FLOAT = fixed("ERR hash value is not a float");
export const INCREMENT_NOT_FINITE = fixed("ERR value is NaN or Infinity");

// Sorting.
export const SORT_BY_IN_CLUSTER = fixed("ERR BY option of SORT denied in Cluster mode.");
export const SORT_GET_IN_CLUSTER = fixed("ERR GET option of SORT denied in Cluster mode.");
export const SORT_NOT_DOUBLE = fixed("ERR One or more scores can't be converted into double");

// Counts of random elements.
export const COUNT_RANGE = fixed(
  "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
);
export const PAIR_COUNT_RANGE = fixed("ERR value is out of range");
// Lists, and what sets and sorted sets share with them.
export const INDEX_OUT_OF_RANGE = fixed("ERR index out of range");
export const NOT_POSITIVE = fixed("ERR value is out of range, must be positive");
export const NUMKEYS_NOT_POSITIVE = fixed("ERR numkeys should be greater than 0");
export const COUNT_NOT_POSITIVE = fixed("ERR count should be greater than 0");
export const LPOS_RANK = fixed(
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
);
export const LPOS_COUNT = fixed("ERR COUNT can't be negative");
export const LPOS_MAXLEN = fixed("ERR MAXLEN can't be negative");

// Sorted sets.
export const ZADD_NX_XX = fixed("ERR XX and NX options at the same time are not compatible");
export const ZADD_NX_GT_LT = fixed("ERR GT, LT, and/or NX options at the same time are not compatible");
export const ZADD_INCR_PAIRS = fixed("ERR INCR option supports a single increment-element pair");
export const SCORE_NAN = fixed("ERR resulting score is not a number (NaN)");
export const SCORE_RANGE = fixed("ERR min or max is not a float");
export const LEX_RANGE = fixed("ERR min or max not valid string range item");
export const LIMIT_BY_RANK = fixed(
  "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
);
export const WEIGHT_NOT_FLOAT = fixed("ERR weight value is not a float");
export const WITHSCORES_BY_LEX = fixed(
  "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
);

export const NOT_A_TIMEOUT = fixed("ERR timeout is not an integer or out of range");
export const NEGATIVE_TIMEOUT = fixed("ERR timeout is negative");

/** @param command full name, as `get` or `client|kill` */
export const wrongArgumentCount = (command: string): ReplyError =>
  fixed(`ERR wrong number of arguments for '${command}' command`);
/** @param command full name */
export const noInputKeys = (command: string): ReplyError =>
  fixed(`ERR at least 1 input key is needed for '${command}' command`);
/**
 * What a container says of a subcommand whose arguments it cannot tell.
 * @param subcommand as sent, one character per byte
 */
export const wrongForm = (container: string, subcommand: string): ReplyError =>
  fixed(`ERR unknown subcommand or wrong number of arguments for '${subcommand}'. Try ${container} HELP.`);
/** @param command full name, as `setex` */
export const invalidExpireTime = (command: string): ReplyError =>
  fixed(`ERR invalid expire time in '${command}' command`);
/** @param option as sent, one character per byte; quoted up to a zero byte, line ends behind it left out */
export const unsupportedOption = (option: string): ReplyError =>
  fixed(`ERR Unsupported option ${option.replace(/\0[^]*$/, "").replace(/[\r\n]+$/, "")}`);
export const outOfRange = (min: number, max: number): ReplyError =>
  fixed(`ERR value is out of range, value must between ${min} and ${max}`);
