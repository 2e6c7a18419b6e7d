// An engine instance under test: requests in, reply bytes out, without a server around it.
import * as abi from "../../assembly/abi.ts";
import { ReplyArena } from "../../src/engine/arena.ts";
import { Args } from "../../src/engine/args.ts";
import { bindCommand, engine, type EngineName } from "../../src/engine/exports.ts";
import { Keys } from "../../src/engine/keys.ts";
import { Memory } from "../../src/engine/memory.ts";
import { Random } from "./random.ts";

export const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");

export class Keyspace {
  readonly memory: Memory;
  readonly keys: Keys;
  readonly arena: ReplyArena;
  readonly args: Args;
  #request = 0;
  #argv = 0;

  constructor(seed: number, limitBytes?: number) {
    const random = new Random(seed);
    const word = (): number => random.below(2 ** 32);
    this.memory = new Memory({
      seed: [word(), word(), word(), word()],
      ...(limitBytes === undefined ? {} : { limitBytes }),
    });
    this.keys = new Keys(this.memory, () => random.unit());
    this.arena = new ReplyArena(this.memory);
    this.args = new Args(this.memory);
    this.memory.nowMs = 1_000_000;
  }

  /** Writes the argv table as the decoder would. */
  request(...args: readonly (string | Uint8Array)[]): void {
    const parts = args.map((arg) => (typeof arg === "string" ? bytesOf(arg) : arg));
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (this.#request !== 0) this.memory.free(this.#request);
    if (this.#argv !== 0) this.memory.free(this.#argv);
    this.#request = 0;
    this.#argv = 0;
    this.#argv = this.memory.alloc(parts.length * 8);
    this.#request = this.memory.alloc(length);
    let at = this.#request;
    parts.forEach((part, i) => {
      this.memory.bytes.set(part, at);
      this.memory.setU32(this.#argv + i * 8, at);
      this.memory.setU32(this.#argv + i * 8 + 4, part.length);
      at += part.length;
    });
    this.memory.setU32(abi.STATE_ARGV, this.#argv);
    this.memory.setU32(abi.STATE_ARGC, parts.length);
    if (parts.length > 1) this.memory.setU32(abi.STATE_SLOT, this.memory.slotOf(this.args.at(1)));
  }

  /** Runs an engine command: its reply as latin1 text, or the REFUSED_ code. */
  run(name: EngineName, ...args: readonly (string | Uint8Array)[]): string | number {
    this.request(name, ...args);
    this.arena.reset();
    const result = bindCommand(this.memory.wasm, engine[name])();
    if (result < 0) return result;
    return Buffer.from(this.arena.written()).toString("latin1");
  }

  text(slice: { readonly ptr: number; readonly length: number } | undefined): string | undefined {
    return slice === undefined ? undefined : Buffer.from(this.memory.copy(slice)).toString("latin1");
  }

  value(key: string): string | undefined {
    return this.text(this.keys.string(bytesOf(key)));
  }

  put(key: string, value: string, expireAtMs = 0): void {
    this.keys.setString(bytesOf(key), bytesOf(value), { expireAtMs });
  }

  names(): string[] {
    const names: string[] = [];
    this.keys.keys((key) => names.push(this.text(key)!));
    return names;
  }
}
