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

// The only value type held so far.
export const RDB_TYPE_STRING = 0;

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

// Why a DUMP payload cannot be restored; apart from the REFUSED_ codes of abi.ts.
/** Cut short, of a newer version, or its checksum is wrong. */
export const RDB_PAYLOAD_REJECTED = -101;
/** The footer is right, what stands before it makes no sense. */
export const RDB_PAYLOAD_DAMAGED = -102;
/** A value of a type that is not held. */
export const RDB_PAYLOAD_OTHER_TYPE = -103;
