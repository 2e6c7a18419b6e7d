// The engine's RDB side: checksums, compression, values as DUMP and snapshots carry them.
import { REFUSED_OUT_OF_MEMORY } from "../../assembly/abi.ts";
import {
  RDB_PAYLOAD_DAMAGED,
  RDB_PAYLOAD_OTHER_TYPE,
  RDB_PAYLOAD_REJECTED,
} from "../../assembly/rdbformat.ts";
import { OUT_OF_MEMORY, ReplyError } from "../resp/errors.ts";
import type { Slice } from "../resp/reply.ts";
import type { Memory } from "./memory.ts";

const PAYLOAD_REJECTED = new ReplyError("ERR DUMP payload version or checksum are wrong");
const PAYLOAD_DAMAGED = new ReplyError("ERR Bad data format");
const PAYLOAD_OTHER_TYPE = new ReplyError("ERR slotmesh holds strings only; the payload is of another type");

/** Bytes of a slot serialised at a time. */
const PIECE = 65536;
/** Bytes of JavaScript's checksummed at a time. */
const SCRATCH = 8192;

export class Rdb {
  /** Taken once, so that a checksum never makes memory grow: views of what is being written stay good. */
  readonly #scratch: number;

  constructor(private readonly memory: Memory) {
    this.#scratch = memory.alloc(SCRATCH);
  }

  /** Whether strings are compressed from now on: rdbcompression. */
  set compression(isOn: boolean) {
    this.memory.wasm.setRdbCompression(isOn);
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
    if (length >= 2 ** 32) return undefined;
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
    let from = 0;
    do {
      const next = this.memory.wasm.rdbSlot(database, slot, from, PIECE);
      if (next < 0) throw OUT_OF_MEMORY;
      from = next;
      const { ptr, length } = this.memory.result();
      if (length > 0) write(this.memory.bytes.subarray(ptr, ptr + length));
    } while (from !== 0);
  }

  /** The DUMP payload of a key of the selected database; undefined = no such key. Dies with the next call. */
  dump(key: Slice): Slice | undefined {
    const found = this.memory.wasm.rdbDump(this.memory.slotOf(key), key.ptr, key.length);
    if (found < 0) throw OUT_OF_MEMORY;
    return found === 0 ? undefined : this.memory.result();
  }

  /** The string in a DUMP payload. Throws what RESTORE answers when there is none. Dies with the next call here. */
  parse(payload: Slice): Slice {
    switch (this.memory.wasm.rdbParse(payload.ptr, payload.length)) {
      case RDB_PAYLOAD_REJECTED:
        throw PAYLOAD_REJECTED;
      case RDB_PAYLOAD_DAMAGED:
        throw PAYLOAD_DAMAGED;
      case RDB_PAYLOAD_OTHER_TYPE:
        throw PAYLOAD_OTHER_TYPE;
      case REFUSED_OUT_OF_MEMORY:
        throw OUT_OF_MEMORY;
    }
    return this.memory.result();
  }
}
