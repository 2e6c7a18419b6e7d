// The integers of Redis's RDB format. Untyped constants, so that both compilers read them.

/** The version written in files and DUMP payloads. */
export const RDB_VERSION = 10;
/** The newest version files and replication payloads are read in. */
export const RDB_NEWEST_READ = 12;

// Opcodes: what may stand where a value type is expected.
export const RDB_SLOT_INFO = 244;
export const RDB_FUNCTION2 = 245;
export const RDB_FUNCTION_PRE_GA = 246;
export const RDB_MODULE_AUX = 247;
export const RDB_IDLE = 248;
export const RDB_FREQ = 249;
export const RDB_AUX = 250;
export const RDB_RESIZEDB = 251;
export const RDB_EXPIRE_MS = 252;
export const RDB_EXPIRE_SECONDS = 253;
export const RDB_SELECTDB = 254;
export const RDB_EOF = 255;

// Types of values. Two stand for the same kind of value where Redis changed how it writes it.
export const RDB_TYPE_STRING = 0;
/** A count, then so many strings. */
export const RDB_TYPE_LIST = 1;
export const RDB_TYPE_SET = 2;
/** A count, then members and their scores as text: a length byte and digits, or 253 nan, 254 inf, 255 -inf. */
export const RDB_TYPE_ZSET = 3;
/** A count, then fields and values. */
export const RDB_TYPE_HASH = 4;
/** A count, then members and their scores as doubles, least significant byte first. */
export const RDB_TYPE_ZSET_2 = 5;
// One string that holds all: a zipmap, ziplist, intset or listpack.
export const RDB_TYPE_HASH_ZIPMAP = 9;
export const RDB_TYPE_LIST_ZIPLIST = 10;
export const RDB_TYPE_SET_INTSET = 11;
export const RDB_TYPE_ZSET_ZIPLIST = 12;
export const RDB_TYPE_HASH_ZIPLIST = 13;
/** A count, then so many ziplists. */
export const RDB_TYPE_LIST_QUICKLIST = 14;
export const RDB_TYPE_HASH_LISTPACK = 16;
export const RDB_TYPE_ZSET_LISTPACK = 17;
/** A count, then for each node what it is, RDB_NODE_PLAIN or RDB_NODE_PACKED, and a string. */
export const RDB_TYPE_LIST_QUICKLIST_2 = 18;
export const RDB_TYPE_SET_LISTPACK = 20;

/** The string is one element. */
export const RDB_NODE_PLAIN = 1;
/** The string is a listpack. */
export const RDB_NODE_PACKED = 2;

// A length's first byte: the top two bits say what follows.
/** 00: the low six bits are the length. */
export const RDB_LENGTH_6 = 0;
/** 01: 14 bits, the low six bits first. */
export const RDB_LENGTH_14 = 1;
/** 10: in its own byte, a 32-bit or 64-bit length follows, most significant byte first. */
export const RDB_LENGTH_32 = 0x80;
export const RDB_LENGTH_64 = 0x81;
/** 11: no length, a special encoding of the string; which one, the low six bits say. */
export const RDB_ENCODED = 3;
export const RDB_ENCODED_INT8 = 0;
export const RDB_ENCODED_INT16 = 1;
export const RDB_ENCODED_INT32 = 2;
export const RDB_ENCODED_LZF = 3;

/** Strings up to this length are never compressed. */
export const RDB_UNCOMPRESSED_LIMIT = 20;

/** What ends a DUMP payload: the version u16, then the CRC-64 of all before that. */
export const RDB_PAYLOAD_FOOTER = 10;
export const RDB_PAYLOAD_CHECKSUM = 8;

// Why a DUMP payload cannot be restored; apart from the REFUSED_ codes of abi.ts.
/** Cut short, of a newer version, or its checksum is wrong. */
export const RDB_PAYLOAD_REJECTED = -101;
/** The footer is right, what stands before it makes no sense. */
export const RDB_PAYLOAD_DAMAGED = -102;
/** A value of a type that is not held. */
export const RDB_PAYLOAD_OTHER_TYPE = -103;

// How far a value is that comes in pieces.
/** It goes on. */
export const RDB_VALUE_OPEN = 0;
export const RDB_VALUE_WHOLE = 1;
/** A collection without elements, which cannot be kept. */
export const RDB_VALUE_EMPTY = 2;
/** It is no long string. */
export const RDB_VALUE_SHORT = 3;

// How far a payload is that is written in steps.
/** It goes on. */
export const RDB_DUMP_OPEN = 0;
export const RDB_DUMP_WHOLE = 1;
/** The key is not there any more. */
export const RDB_DUMP_GONE = 2;
