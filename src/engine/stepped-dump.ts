// A DUMP payload that is written in steps, so that a value of a million elements holds nobody up.
import { RDB_DUMP_GONE, RDB_DUMP_WHOLE } from "../../assembly/rdbformat.ts";
import { OUT_OF_MEMORY } from "../resp/errors.ts";
import type { Memory } from "./memory.ts";

/**
 * Made by `Rdb.beginDump`. The pieces together are byte for byte what DUMP answers:
 *
 *   const dump = rdb.beginDump(key); // undefined = no such key
 *   while (dump.state === "open") pieces.push(dump.more(65536)); // other requests may run between two steps
 *   if (dump.state === "whole") … dump.length bytes in `pieces` …
 *   dump.close();
 *
 * Between two steps the value must not be changed, nor the key be given to another value: whoever holds the dump holds
 * back such writes. Everything else may happen: reads of it, defragmentation, snapshots of its slot, other dumps, a
 * change of `rdbcompression`, another selected database; and the key may expire or be deleted, evicted or flushed, which
 * the next step tells ("gone"). A dump keeps the database and the key it was begun with.
 */
export class SteppedDump {
  /** "open": there is more; "whole": all pieces were handed out; "gone": the key went, what was written is of no use. */
  state: "open" | "whole" | "gone" = "open";
  /** Bytes of all pieces so far: of the payload once it is whole. */
  length = 0;
  /** 0 = closed. */
  #dump: number;

  constructor(
    private readonly memory: Memory,
    dump: number,
  ) {
    this.#dump = dump;
  }

  /**
   * The next piece; to be called while `state` is "open". Sets `state` and `length`.
   * @param budgetBytes about how long the piece becomes; of a string longer than 64 KiB no less than that is looked at.
   * 65536 takes a quarter of a millisecond for a list or a string and about one for members of a big table
   * @returns fresh bytes, the caller's; none while a long string is being compressed and when the key is gone. Throws
   * OUT_OF_MEMORY, after which the dump is only to be closed.
   */
  more(budgetBytes: number): Uint8Array {
    const { memory } = this;
    const outcome = memory.wasm.rdbDumpMore(this.#dump, budgetBytes);
    if (outcome < 0) throw OUT_OF_MEMORY;
    if (outcome === RDB_DUMP_GONE) {
      this.state = "gone";
      return new Uint8Array(0);
    }
    if (outcome === RDB_DUMP_WHOLE) this.state = "whole";
    const piece = memory.copy(memory.result());
    this.length += piece.length;
    return piece;
  }

  /** Gives back what the dump holds in linear memory; to be called once in any case. Nothing happens the second time. */
  close(): void {
    if (this.#dump !== 0) this.memory.wasm.rdbDumpClose(this.#dump);
    this.#dump = 0;
  }
}
