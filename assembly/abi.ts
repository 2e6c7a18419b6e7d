// Integers both sides of the WASM boundary agree on. Untyped constants on purpose: asc reads them as i32,
// TypeScript as numbers, so each is written once.

// --- The state block: fixed addresses below the module's static data (asconfig's memoryBase) -------------------
/** f64, unix milliseconds; the host sets it before it calls anything. */
export const STATE_NOW_MS = 64;
/** u32, index of the selected database. */
export const STATE_DB = 72;
/** u32, hash slot of the first key of the request; single-key commands need not compute it again. */
export const STATE_SLOT = 76;
/** u32, 2 or 3: the RESP version replies are written in. */
export const STATE_PROTOCOL = 80;
/** u32, number of arguments of the request, the command's name included. */
export const STATE_ARGC = 84;
/** u32, address of the argv table: per argument its address and its length, both u32. */
export const STATE_ARGV = 88;
/** u32, first byte of the reply arena. */
export const STATE_REPLY = 92;
/** u32, where the next reply byte goes; both sides append and advance it. */
export const STATE_REPLY_END = 96;
/** u32, end of the arena's room; `reserveReply` must be called before writing past it. */
export const STATE_REPLY_LIMIT = 100;
/** u32, 24-bit access clock (LRU seconds) stamped on entries that are read or written. */
export const STATE_ACCESS_CLOCK = 104;
/** u32, an EXPIRED_ constant: what becomes of expired keys. */
export const STATE_KEEP_EXPIRED = 108;
/** u32, how many records wait in the expired list (see `takeExpired`). */
export const STATE_EXPIRED_COUNT = 112;
/** f64 counters, read and reset by the host. */
export const STATE_HITS = 120;
export const STATE_MISSES = 128;
/** u32 pair, address and length of a value an engine call returns by reference. */
export const STATE_RESULT_PTR = 136;
export const STATE_RESULT_LENGTH = 140;
/** f64, a number an engine call returns beside its status. */
export const STATE_RESULT_NUMBER = 144;
/** f64, ceiling in bytes on linear memory; at most 2^32 - 65536. */
export const STATE_MEMORY_LIMIT = 152;

// --- What an engine command returns ---------------------------------------------------------------------------
// n >= 0: done, its reply is in the arena, n changes were made (0 = nothing to tell replicas).
// n < 0: refused before its first change, nothing written to the arena; the host writes the error's text.
export const REFUSED_WRONG_TYPE = -1;
export const REFUSED_NOT_INTEGER = -2;
export const REFUSED_OVERFLOW = -3;
export const REFUSED_SYNTAX = -4;
/** Linear memory is at its ceiling. */
export const REFUSED_OUT_OF_MEMORY = -5;
export const REFUSED_STRING_TOO_LONG = -6;
export const REFUSED_OFFSET = -7;
export const REFUSED_DECREMENT_OVERFLOW = -8;
export const REFUSED_NO_SUCH_KEY = -9;
/** Wrong number of arguments, found only when the command looked closer (MSET with an odd one). */
export const REFUSED_ARITY = -10;

// --- Types and encodings of entries ---------------------------------------------------------------------------
export const TYPE_NONE = 0;
export const TYPE_STRING = 1;
export const TYPE_LIST = 2;
export const TYPE_SET = 3;
export const TYPE_ZSET = 4;
export const TYPE_HASH = 5;

export const ENCODING_RAW = 0;
export const ENCODING_INT = 1;
/** A string as short as EMBSTR_LIMIT that was never modified in place; only OBJECT ENCODING tells it from raw. */
export const ENCODING_EMBSTR = 2;
export const EMBSTR_LIMIT = 44;

// --- How keys are treated whose time has come ---------------------------------------------------------------------
/** Deleted when met. */
export const EXPIRED_DELETED = 0;
/** Hidden but kept: a replica waits for its master's DEL, a master for the end of a pause of writes. */
export const EXPIRED_HIDDEN = 1;
/** As alive as any: for commands that come from the master, which decides when a key has expired. */
export const EXPIRED_ALIVE = 2;

// --- How a handler looks at a key -----------------------------------------------------------------------------
/** Leaves no trace: neither a hit or miss nor the access clock. */
export const HOW_TRACELESS = 0;
/** Counts as a hit or a miss. */
export const HOW_COUNTED = 1;
/** As a command that uses the value: counted, and the access clock is set. */
export const HOW_READ = 2;

// --- Sizes ----------------------------------------------------------------------------------------------------
export const SLOT_COUNT = 16384;
export const DATABASE_COUNT = 16;
/** Longest string value and longest argument, bytes (proto-max-bulk-len's default). */
export const STRING_LIMIT = 536870912;
