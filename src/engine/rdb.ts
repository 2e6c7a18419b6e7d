// The engine's RDB side: checksums, compression, values as DUMP and snapshots carry them.
import { REFUSED_OUT_OF_MEMORY, STRING_LIMIT } from "../../assembly/abi.ts";
import { RDB_DUMP_GONE, RDB_DUMP_WHOLE } from "../../assembly/rdbformat.ts";
import { OUT_OF_MEMORY } from "../resp/errors.ts";
import type { Slice } from "../resp/reply.ts";
import { Incoming } from "./incoming.ts";
import type { How } from "./keys.ts";
import type { Memory } from "./memory.ts";
import { SteppedDump } from "./stepped-dump.ts";
import { SteppedRestore } from "./stepped-restore.ts";

/** Bytes of a slot serialised at a time. */
const PIECE = 65536;
/** Bytes of JavaScript's checksummed at a time. */
const SCRATCH = 8192;
/** Linear memory is not larger, and something else must fit in it. */
const LARGEST_STRING = 0xf0000000;

export class Rdb {
  /** Taken once, so that a checksum never makes memory grow: views of what is being written stay good. */
  readonly #scratch: number;
  #longestString = STRING_LIMIT;

  constructor(private readonly memory: Memory) {
    this.#scratch = memory.alloc(SCRATCH);
  }

  /** Whether strings are compressed from now on: rdbcompression. */
  set compression(isOn: boolean) {
    this.memory.wasm.setRdbCompression(isOn);
  }

  /** The longest string that is read: what proto-max-bulk-len allows, and never less than its default. */
  get longestString(): number {
    return this.#longestString;
  }

  set longestString(bytes: number) {
    this.#longestString = Math.min(Math.max(bytes, STRING_LIMIT), LARGEST_STRING);
    this.memory.wasm.setLongestString(this.#longestString);
  }

  /** CRC-64 of bytes of either side, going on from `crc`. */
  crc64(start: bigint, bytes: Uint8Array): bigint {
    if (bytes.buffer === this.memory.bytes.buffer) {
      return BigInt.asUintN(64, this.memory.wasm.crc64(start, bytes.byteOffset, bytes.length));
    }
    let crc = start;
    for (let at = 0; at < bytes.length; at += SCRATCH) {
      const piece = bytes.subarray(at, at + SCRATCH);
      this.memory.bytes.set(piece, this.#scratch);
      crc = this.memory.wasm.crc64(crc, this.#scratch, piece.length);
    }
    return BigInt.asUintN(64, crc);
  }

  /** Expands an LZF string of JavaScript's; fresh bytes, or undefined when it does not give `length` bytes. */
  decompress(packed: Uint8Array, length: number): Uint8Array | undefined {
    if (length > this.#longestString) return undefined;
    const ptr = this.memory.alloc(Math.max(packed.length, 1));
    this.memory.bytes.set(packed, ptr);
    const outcome = this.memory.wasm.rdbExpand(ptr, packed.length, length);
    this.memory.free(ptr);
    if (outcome === REFUSED_OUT_OF_MEMORY) throw OUT_OF_MEMORY;
    return outcome < 0 ? undefined : this.memory.copy(this.memory.result());
  }

  /**
   * Writes all entries of a slot, piece by piece; throws OUT_OF_MEMORY.
   * @param write takes a piece, which dies with the next call into the engine
   */
  slot(database: number, slot: number, write: (bytes: Uint8Array) => void): void {
    const { wasm } = this.memory;
    wasm.rdbBeginSlot(database, slot);
    for (;;) {
      const more = wasm.rdbNextPiece(PIECE);
      if (more < 0) throw OUT_OF_MEMORY;
      const { ptr, length } = this.memory.result();
      if (length > 0) write(this.memory.bytes.subarray(ptr, ptr + length));
      if (more === 0) return;
    }
  }

  /** 20 bytes that tell what a key of the selected database holds; zeros = no such key. */
  digestOf(key: Slice): Uint8Array {
    this.memory.wasm.digestKey(key.ptr, key.length);
    return this.memory.copy(this.memory.result());
  }

  /** 20 bytes that tell what all databases hold. */
  digest(): Uint8Array {
    this.memory.wasm.digestAll();
    return this.memory.copy(this.memory.result());
  }

  /** The DUMP payload of a key of the selected database; undefined = no such key. Dies with the next call. */
  dump(key: Slice, how: How): Slice | undefined {
    const found = this.memory.wasm.rdbDump(key.ptr, key.length, how);
    if (found < 0) throw OUT_OF_MEMORY;
    return found === 0 ? undefined : this.memory.result();
  }

  /**
   * The DUMP payload of a key of the selected database, at once where it is short (the slice dies with the next call),
   * otherwise to be written in steps. Undefined = no such key. Looking at the key leaves no trace. Throws OUT_OF_MEMORY.
   */
  dumpOrBegin(key: Slice): Slice | SteppedDump | undefined {
    const { memory } = this;
    const outcome = memory.wasm.rdbDumpSmall(memory.slotOf(key), key.ptr, key.length);
    if (outcome < 0) throw OUT_OF_MEMORY;
    if (outcome === RDB_DUMP_GONE) return undefined;
    return outcome === RDB_DUMP_WHOLE ? memory.result() : this.beginDump(key);
  }

  /**
   * The DUMP payload of a key of the selected database, written in steps: see SteppedDump. Undefined = no such key.
   * Looking at the key leaves no trace (hits, access clock, expiry): that is the caller's affair. Throws OUT_OF_MEMORY.
   */
  beginDump(key: Slice): SteppedDump | undefined {
    const found = this.memory.wasm.rdbDumpBegin(this.memory.slotOf(key), key.ptr, key.length);
    if (found < 0) throw OUT_OF_MEMORY;
    return found === 0 ? undefined : new SteppedDump(this.memory, this.memory.result().ptr);
  }

  /**
   * Begins to read a DUMP payload into a value for `key`, which nobody sees until it is stored: see SteppedRestore. Key
   * and payload stay where they are until it is read.
   * @param expireAtMs 0 = never
   */
  beginRestore(key: Slice, payload: Slice, expireAtMs: number): SteppedRestore {
    return new SteppedRestore(this.memory, key, payload, expireAtMs);
  }

  /**
   * A value that comes in pieces.
   * @param type as rdbformat.ts has it
   * @param isKept false: it is only looked through for faults
   * @param refuse throws for a RDB_PAYLOAD_ code
   */
  incoming(
    key: Uint8Array,
    type: number,
    expireAtMs: number,
    isKept: boolean,
    refuse: (code: number) => never,
  ): Incoming {
    const incoming = new Incoming(this.memory, refuse);
    const ptr = this.memory.alloc(Math.max(key.length, 1));
    this.memory.bytes.set(key, ptr);
    try {
      incoming.open({ ptr, length: key.length }, type, expireAtMs, isKept);
    } finally {
      this.memory.free(ptr);
    }
    return incoming;
  }
}
