// Reads an RDB file fed in pieces of any size. Each record is taken whole or not at all: when bytes are missing the
// reader remembers how many it needs, collects pieces until they are there and starts the record again.
import {
  RDB_AUX,
  RDB_ENCODED,
  RDB_ENCODED_INT16,
  RDB_ENCODED_INT32,
  RDB_ENCODED_INT8,
  RDB_ENCODED_LZF,
  RDB_EOF,
  RDB_EXPIRE_MS,
  RDB_EXPIRE_SECONDS,
  RDB_FREQ,
  RDB_FUNCTION2,
  RDB_FUNCTION_PRE_GA,
  RDB_IDLE,
  RDB_LENGTH_14,
  RDB_LENGTH_32,
  RDB_LENGTH_6,
  RDB_LENGTH_64,
  RDB_MODULE_AUX,
  RDB_NEWEST_READ,
  RDB_RESIZEDB,
  RDB_SELECTDB,
  RDB_SLOT_INFO,
  RDB_TYPE_HASH,
  RDB_TYPE_HASH_LISTPACK,
  RDB_TYPE_HASH_ZIPLIST,
  RDB_TYPE_HASH_ZIPMAP,
  RDB_TYPE_LIST,
  RDB_TYPE_LIST_QUICKLIST,
  RDB_TYPE_LIST_QUICKLIST_2,
  RDB_TYPE_LIST_ZIPLIST,
  RDB_TYPE_SET,
  RDB_TYPE_SET_INTSET,
  RDB_TYPE_SET_LISTPACK,
  RDB_TYPE_STRING,
  RDB_TYPE_ZSET,
  RDB_TYPE_ZSET_2,
  RDB_TYPE_ZSET_LISTPACK,
  RDB_TYPE_ZSET_ZIPLIST,
} from "../../assembly/rdbformat.ts";
import type { Checksum } from "./rdb-writer.ts";

/** The input is damaged, cut off, or holds what this server cannot. */
export class RdbError extends Error {
  constructor(text: string) {
    super(text);
    this.name = "RdbError";
  }
}

/** A key with what stands around it. */
export interface RdbKey {
  readonly database: number;
  /** The reader's own bytes, as the value's: copy what is kept. */
  readonly key: Uint8Array;
  /** Unix milliseconds; undefined = never. */
  readonly expireAtMs: number | undefined;
  readonly idleSeconds: number | undefined;
  readonly frequency: number | undefined;
}

/** Who takes what is read. May throw an RdbError to refuse it. */
export interface RdbSink {
  aux(name: string, value: string): void;
  /** How many keys the database will get, as far as the writer knew; nothing to those whose tables grow evenly. */
  resize?(database: number, keys: number, expires: number): void;
  string(key: RdbKey, value: Uint8Array): void;
  /** A value of one of the types of collections begins. @param type as the file has it, see rdbformat.ts */
  collection(key: RdbKey, type: number): RdbValue;
}

/** A collection on its way in, which takes care of what it has been given. Throws RdbErrors. */
export interface RdbValue {
  /** Takes bytes from the front of what is there, at most to its end; returns how many. */
  feed(bytes: Uint8Array): number;
  /** So many bytes it must see at once to go on; 0 = it is whole. */
  readonly needed: number;
  /** Its end will not come. */
  abandon(): void;
}

/** What the engine does for the reader. */
export interface RdbCodec {
  /** Bytes of the longest string that is taken: more must not be waited for, whatever is claimed. */
  readonly longestString: number;
  readonly crc64: Checksum;
  /** LZF; undefined when the input is damaged or does not give `length` bytes. */
  decompress(packed: Uint8Array, length: number): Uint8Array | undefined;
}

/** Types of values this server does not hold. */
const FOREIGN: Readonly<Record<number, string>> = {
  6: "a module's value", 7: "a module's value", 15: "a stream", 19: "a stream", 21: "a stream",
  22: "a hash with fields that expire", 23: "a hash with fields that expire",
  24: "a hash with fields that expire", 25: "a hash with fields that expire",
}; // prettier-ignore

/** Types of collections, the old forms included. */
const COLLECTIONS: ReadonlySet<number> = new Set([
  RDB_TYPE_LIST, RDB_TYPE_SET, RDB_TYPE_ZSET, RDB_TYPE_HASH, RDB_TYPE_ZSET_2, RDB_TYPE_HASH_ZIPMAP,
  RDB_TYPE_LIST_ZIPLIST, RDB_TYPE_SET_INTSET, RDB_TYPE_ZSET_ZIPLIST, RDB_TYPE_HASH_ZIPLIST, RDB_TYPE_LIST_QUICKLIST,
  RDB_TYPE_HASH_LISTPACK, RDB_TYPE_ZSET_LISTPACK, RDB_TYPE_LIST_QUICKLIST_2, RDB_TYPE_SET_LISTPACK,
]); // prettier-ignore

const MISSING = Symbol("bytes are missing");
const HEAD_LENGTH = 9;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class RdbReader {
  /** Version in the file's head; 0 until that is read. */
  version = 0;
  /** True once the end and its checksum were read. */
  done = false;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #waiting: Uint8Array[] = [];
  #waitingLength = 0;
  #needed = HEAD_LENGTH;
  #crc = 0n;
  #database = 0;
  #expireAtMs: number | undefined;
  #idleSeconds: number | undefined;
  #frequency: number | undefined;
  /** The collection in the middle of which the bytes so far end. */
  #value: RdbValue | undefined;

  constructor(
    private readonly sink: RdbSink,
    private readonly codec: RdbCodec,
    /** Whether the checksum at the end must be right. */
    private readonly verifies = true,
    /** Whether bytes may follow the end, which are nothing of ours then. */
    private readonly allowsRest = false,
  ) {}

  /** Takes the next bytes; what is complete goes to the sink. Throws RdbError. */
  feed(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.done) return this.#refuseRest();
    this.#waiting.push(bytes);
    this.#waitingLength += bytes.length;
    if (this.#waitingLength < this.#needed) {
      // The piece may be part of a receive buffer that is used again.
      this.#waiting[this.#waiting.length - 1] = bytes.slice();
      return;
    }
    this.#join();
    let recordAt = 0;
    try {
      while (!this.done && this.#at < this.#bytes.length) {
        this.#record();
        recordAt = this.#at;
      }
    } catch (error) {
      if (error !== MISSING) throw error;
    }
    if (!this.done) this.#sum(recordAt);
    this.#keep(recordAt);
  }

  /** No more bytes will come; throws when the end was not reached. */
  finish(): void {
    if (!this.done) throw new RdbError("the input ends in the middle");
  }

  /** The input is given up. */
  abandon(): void {
    this.#value?.abandon();
    this.#value = undefined;
  }

  #join(): void {
    const first = this.#waiting[0] as Uint8Array;
    let all = first;
    if (this.#waiting.length > 1) {
      all = new Uint8Array(this.#waitingLength);
      let at = 0;
      for (const piece of this.#waiting) {
        all.set(piece, at);
        at += piece.length;
      }
    }
    this.#bytes = all;
    this.#view = new DataView(all.buffer, all.byteOffset, all.byteLength);
    this.#at = 0;
    this.#waiting = [];
    this.#waitingLength = 0;
  }

  #keep(from: number): void {
    const rest = this.#bytes.length - from;
    if (rest > 0 && this.done) this.#refuseRest();
    if (rest > 0 && !this.done) {
      this.#waiting = [this.#bytes.slice(from)];
      this.#waitingLength = rest;
      this.#needed = Math.max(this.#needed - from, rest + 1);
    } else {
      this.#needed = 1;
    }
    this.#bytes = new Uint8Array(0);
  }

  #refuseRest(): void {
    if (!this.allowsRest) throw new RdbError("bytes after the end");
  }

  #record(): void {
    if (this.version === 0) return this.#head();
    if (this.#value !== undefined) return this.#goOn(this.#value);
    const opcode = this.#byte();
    switch (opcode) {
      case RDB_EXPIRE_MS:
        this.#expireAtMs = Number(this.#view.getBigInt64(this.#take(8), true));
        return;
      case RDB_EXPIRE_SECONDS:
        this.#expireAtMs = this.#view.getInt32(this.#take(4), true) * 1000;
        return;
      case RDB_IDLE:
        this.#idleSeconds = this.#length();
        return;
      case RDB_FREQ:
        this.#frequency = this.#byte();
        return;
      case RDB_SELECTDB:
        this.#database = this.#length();
        return;
      case RDB_RESIZEDB: {
        const keys = this.#length();
        const expires = this.#length();
        return this.sink.resize?.(this.#database, keys, expires);
      }
      case RDB_SLOT_INFO:
        // Slot number, its keys, those of them that expire: hints for another layout of tables.
        for (let i = 0; i < 3; i++) this.#length();
        return;
      case RDB_AUX: {
        const name = decoder.decode(this.#string());
        return this.sink.aux(name, decoder.decode(this.#string()));
      }
      case RDB_FUNCTION2:
        if (this.#byte() === 0) return; // an empty string
        throw new RdbError("slotmesh has no functions; the input holds a library");
      case RDB_FUNCTION_PRE_GA:
        throw new RdbError("slotmesh has no functions; the input holds a library");
      case RDB_MODULE_AUX:
        throw new RdbError("slotmesh has no modules; the input holds a module's data");
      case RDB_EOF:
        return this.#end();
      default:
        return this.#entry(opcode);
    }
  }

  #head(): void {
    const at = this.#take(HEAD_LENGTH);
    const head = decoder.decode(this.#bytes.subarray(at, at + HEAD_LENGTH));
    if (!head.startsWith("REDIS")) throw new RdbError("wrong signature, this is no RDB");
    const digits = head.slice(5);
    const version = /^\d{4}$/.test(digits) ? Number(digits) : 0;
    if (version < 1 || version > RDB_NEWEST_READ) throw new RdbError(`cannot read RDB version ${digits}`);
    this.version = version;
  }

  #entry(type: number): void {
    const foreign = FOREIGN[type];
    if (type !== RDB_TYPE_STRING && !COLLECTIONS.has(type) && foreign === undefined)
      throw new RdbError(`unknown value type ${type}`);
    const key = this.#string();
    if (foreign !== undefined)
      throw new RdbError(`slotmesh cannot hold key ${decoder.decode(key)}: it is ${foreign}`);
    const value = type === RDB_TYPE_STRING ? this.#string() : undefined;
    const about: RdbKey = {
      database: this.#database,
      key,
      expireAtMs: this.#expireAtMs,
      idleSeconds: this.#idleSeconds,
      frequency: this.#frequency,
    };
    if (value === undefined) this.#value = this.sink.collection(about, type);
    else this.sink.string(about, value);
    this.#expireAtMs = undefined;
    this.#idleSeconds = undefined;
    this.#frequency = undefined;
  }

  /** A collection may be longer than memory: it takes what is there, and what it took need not be kept. */
  #goOn(value: RdbValue): void {
    const taken = value.feed(this.#bytes.subarray(this.#at));
    this.#at += taken;
    if (value.needed === 0) this.#value = undefined;
    else if (taken === 0) {
      this.#needed = this.#at + value.needed;
      throw MISSING;
    }
  }

  #end(): void {
    const end = this.#at;
    if (this.version >= 5) {
      const found = this.#view.getBigUint64(this.#take(8), true);
      this.#sum(end);
      // 0: the writer was told not to compute one.
      if (this.verifies && found !== 0n && found !== this.#crc) throw new RdbError("wrong checksum");
    }
    this.done = true;
  }

  /** Adds the bytes at hand, up to `end`, to the checksum. */
  #sum(end: number): void {
    if (this.verifies) this.#crc = this.codec.crc64(this.#crc, this.#bytes.subarray(0, end));
  }

  #byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  /** Where the next `length` bytes stand; they are behind the reader afterwards. */
  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) {
      this.#needed = at + length;
      throw MISSING;
    }
    this.#at = at + length;
    return at;
  }

  #length(): number {
    const first = this.#byte();
    if (first >> 6 === RDB_ENCODED)
      throw new RdbError(`a length was expected, not an encoded string (${first})`);
    return this.#lengthFrom(first);
  }

  #lengthFrom(first: number): number {
    switch (first >> 6) {
      case RDB_LENGTH_6:
        return first & 63;
      case RDB_LENGTH_14:
        return ((first & 63) << 8) | this.#byte();
    }
    if (first === RDB_LENGTH_32) return this.#view.getUint32(this.#take(4));
    if (first !== RDB_LENGTH_64) throw new RdbError(`unknown form of a length: ${first}`);
    const length = this.#view.getBigUint64(this.#take(8));
    if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw new RdbError(`a length of ${length}`);
    return Number(length);
  }

  #string(): Uint8Array {
    const first = this.#byte();
    if (first >> 6 !== RDB_ENCODED) return this.#raw(this.#lengthFrom(first));
    switch (first & 63) {
      case RDB_ENCODED_INT8:
        return encoder.encode(String(this.#view.getInt8(this.#take(1))));
      case RDB_ENCODED_INT16:
        return encoder.encode(String(this.#view.getInt16(this.#take(2), true)));
      case RDB_ENCODED_INT32:
        return encoder.encode(String(this.#view.getInt32(this.#take(4), true)));
      case RDB_ENCODED_LZF: {
        const packedLength = this.#length();
        const length = this.#length();
        this.#checkLength(length);
        const whole = this.codec.decompress(this.#raw(packedLength), length);
        if (whole === undefined) throw new RdbError("a compressed string is damaged");
        return whole;
      }
      default:
        throw new RdbError(`unknown encoding of a string: ${first & 63}`);
    }
  }

  /** What a length claims to be of a string is refused before its bytes are waited for. */
  #checkLength(length: number): void {
    if (length > this.codec.longestString) throw new RdbError(`a string said to be ${length} bytes long`);
  }

  #raw(length: number): Uint8Array {
    this.#checkLength(length);
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }
}
