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
/** u32, 24-bit access clock stamped on entries that are read or written: seconds, or LFU minutes << 8 | LFU_FIRST. */
export const STATE_ACCESS_CLOCK = 104;
/** u32, an EXPIRED_ constant: what becomes of expired keys. */
export const STATE_KEEP_EXPIRED = 108;
/** u32, how many events wait to be taken (see events.ts). */
export const STATE_EVENT_COUNT = 112;
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
/** u32 pair, address and length of what replicas are told in place of a request (see record.ts). */
export const STATE_RECORD_PTR = 160;
export const STATE_RECORD_LENGTH = 164;
/** Limits of the small encodings, by the names of their directives; all u32 but the first, which is i32. */
export const STATE_LIST_MAX_LISTPACK_SIZE = 168;
export const STATE_LIST_COMPRESS_DEPTH = 172;
export const STATE_HASH_MAX_ENTRIES = 176;
export const STATE_HASH_MAX_VALUE = 180;
export const STATE_SET_MAX_INTSET = 184;
export const STATE_ZSET_MAX_ENTRIES = 188;
export const STATE_ZSET_MAX_VALUE = 192;
/** u64, bit n = events of kind n are wanted (an EVENT_ constant); keys that expired are told in any case. */
export const STATE_EVENTS_WANTED = 200;
/** u32, not 0: the access clock counts uses (frequency.ts) and does not tell the last one's time. */
export const STATE_LFU = 224;
/** u32, lfu-log-factor and lfu-decay-time. */
export const STATE_LFU_LOG_FACTOR = 228;
export const STATE_LFU_DECAY_MINUTES = 232;

// --- What an engine command returns ---------------------------------------------------------------------------
// n >= 0: done, its reply is in the arena, n changes were made (0 = nothing to tell replicas). With RECORDED added,
//         replicas are told what stands in the record block, not the request.
// n < 0: refused before its first change, nothing written to the arena; the host writes the error's text.
export const RECORDED = 0x40000000;
/**
 * Done, and nothing to tell replicas, but whoever waits for changes of the request's keys is told of one. No command makes
 * so many changes.
 */
export const TOUCHED = 0x3fffffff;
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
/** A number of elements to pop that is none or negative. */
export const REFUSED_NOT_POSITIVE = -21;
export const REFUSED_NUMKEYS_NOT_POSITIVE = -22;
/** More keys announced than there are arguments. */
export const REFUSED_NUMKEYS_TOO_MANY = -30;
export const REFUSED_NEGATIVE_LIMIT = -31;
/** What should go on with a scan is no number. */
export const REFUSED_CURSOR = -32;
/** What a field of a hash holds is no integer, though what is to be added to it is one. */
export const REFUSED_FIELD_NOT_INTEGER = -40;
/** A count of random elements that has no opposite. */
export const REFUSED_COUNT_RANGE = -41;
/** A count of random elements that cannot be doubled. */
export const REFUSED_PAIR_COUNT_RANGE = -42;
// Options of ZADD that exclude each other.
export const REFUSED_ZADD_NX_XX = -50;
export const REFUSED_ZADD_NX_GT_LT = -51;
export const REFUSED_ZADD_INCR_PAIRS = -52;
export const REFUSED_NOT_FLOAT = -53;
export const REFUSED_SCORE_NAN = -54;
export const REFUSED_SCORE_RANGE = -55;
export const REFUSED_LEX_RANGE = -56;
// Options of ZRANGE that do not go with what the range is given by.
export const REFUSED_LIMIT_BY_RANK = -57;
export const REFUSED_WITHSCORES_BY_LEX = -58;
export const REFUSED_WEIGHT = -59;
/** No key at all for a command of any number of them; its text holds the command's name, as REFUSED_ARITY's does. */
export const REFUSED_NO_INPUT_KEYS = -11;
/** LSET beyond the list. */
export const REFUSED_INDEX = -20;
export const REFUSED_COUNT_NOT_POSITIVE = -23;
export const REFUSED_LPOS_RANK = -24;
export const REFUSED_LPOS_COUNT = -25;
export const REFUSED_LPOS_MAXLEN = -26;

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
/** The value is a listpack: a small hash or sorted set, or a list of one node. */
export const ENCODING_LISTPACK = 3;
/** The value is an intset: a small set of integers. */
export const ENCODING_INTSET = 4;
/** The value is the record of a hashtable: a hash or a set. */
export const ENCODING_HASHTABLE = 5;
/** The value is the record of a list of several nodes. */
export const ENCODING_QUICKLIST = 6;
/** The value is the record of a hashtable and that of a tree in the order of scores: a sorted set. */
export const ENCODING_SKIPLIST = 7;

// --- Faults on purpose ------------------------------------------------------------------------------------------
/** Memory is read that is not there. */
export const FAULT_ACCESS = 0;
/** A place is reached that cannot be. */
export const FAULT_UNREACHABLE = 1;

// --- How keys are treated whose time has come ---------------------------------------------------------------------
/** Deleted when met. */
export const EXPIRED_DELETED = 0;
/** Hidden but kept: a replica waits for its master's DEL, a master for the end of a pause of writes. */
export const EXPIRED_HIDDEN = 1;
/** As alive as any: for commands that come from the master, which decides when a key has expired. */
export const EXPIRED_ALIVE = 2;

// --- Events: what happened to keys ------------------------------------------------------------------------------
/** A key died because its time had come; always told. */
export const EVENT_EXPIRED = 0;
/** A list or a sorted set came to be. */
export const EVENT_READY = 1;
// From here on: notifications, by their names (src/engine/events.ts has them as text).
export const EVENT_NEW = 2;
export const EVENT_KEYMISS = 3;
export const EVENT_EVICTED = 4;
export const EVENT_DEL = 5;
export const EVENT_EXPIRE = 6;
export const EVENT_PERSIST = 7;
export const EVENT_RENAME_FROM = 8;
export const EVENT_RENAME_TO = 9;
export const EVENT_MOVE_FROM = 10;
export const EVENT_MOVE_TO = 11;
export const EVENT_COPY_TO = 12;
export const EVENT_RESTORE = 13;
export const EVENT_SET = 14;
export const EVENT_SETRANGE = 15;
export const EVENT_APPEND = 16;
export const EVENT_INCRBY = 17;
export const EVENT_INCRBYFLOAT = 18;
export const EVENT_LPUSH = 19;
export const EVENT_RPUSH = 20;
export const EVENT_LPOP = 21;
export const EVENT_RPOP = 22;
export const EVENT_LINSERT = 23;
export const EVENT_LSET = 24;
export const EVENT_LREM = 25;
export const EVENT_LTRIM = 26;
export const EVENT_SORTSTORE = 27;
export const EVENT_SADD = 28;
export const EVENT_SREM = 29;
export const EVENT_SPOP = 30;
export const EVENT_SINTERSTORE = 31;
export const EVENT_SUNIONSTORE = 32;
export const EVENT_SDIFFSTORE = 33;
export const EVENT_HSET = 34;
export const EVENT_HINCRBY = 35;
export const EVENT_HINCRBYFLOAT = 36;
export const EVENT_HDEL = 37;
export const EVENT_ZADD = 38;
export const EVENT_ZINCR = 39;
export const EVENT_ZREM = 40;
export const EVENT_ZREMRANGEBYSCORE = 41;
export const EVENT_ZREMRANGEBYRANK = 42;
export const EVENT_ZREMRANGEBYLEX = 43;
export const EVENT_ZDIFFSTORE = 44;
export const EVENT_ZINTERSTORE = 45;
export const EVENT_ZUNIONSTORE = 46;
export const EVENT_ZRANGESTORE = 47;
export const EVENT_ZPOPMIN = 48;
export const EVENT_ZPOPMAX = 49;
/** No notification: a command tells which keys it modified, where they are not all those its row says are written. */
export const EVENT_MODIFIED = 63;

// --- How a handler looks at a key -----------------------------------------------------------------------------
/** Leaves no trace: neither a hit or miss nor the access clock. */
export const HOW_TRACELESS = 0;
/** Nor is a key deleted whose time has come, though it counts as missing. */
export const HOW_PEEK = 3;
/** Counts as a hit or a miss, which nobody is notified of. */
export const HOW_COUNTED = 1;
/** As a command that uses the value: counted, and the access clock is set. */
export const HOW_READ = 2;

// --- Eviction -------------------------------------------------------------------------------------------------
/** What keys begin with where uses are counted. */
export const LFU_FIRST = 5;
/** The highest count. */
export const LFU_LIMIT = 255;
/** Which key goes first: the one unused for longest, the least used, the one whose time comes first, any. */
export const EVICT_LRU = 0;
export const EVICT_LFU = 1;
export const EVICT_TTL = 2;
export const EVICT_RANDOM = 3;
/** None goes. */
export const EVICT_NONE = 4;

// --- Sizes ----------------------------------------------------------------------------------------------------
export const SLOT_COUNT = 16384;
export const DATABASE_COUNT = 16;
/** Longest string value and longest argument, bytes (proto-max-bulk-len's default). */
export const STRING_LIMIT = 536870912;
