// Attacks on the reader of RDB files, in this process: files whose bytes are wrong in some place and whose checksum is
// right. A file is refused with a reason, or what it holds is served; nothing else happens.
import { isRefusal, CollectionIntake, codecOf, storeString } from "../../../src/server/rdb-intake.ts";
import { RdbReader, type RdbSink } from "../../../src/replication/rdb-reader.ts";
import { InProcess } from "../inprocess.ts";
import { Random } from "../random.ts";
import { text } from "../rdbforms.ts";
import { type Attack, settle, usedWhenEmpty } from "./attack.ts";
import { mutated } from "./mutations.ts";
import { checkValue } from "./probes.ts";
import { Seeds } from "./seeds.ts";

const STRIDE = 6007;
const DATABASES = 16;
const CHECKSUM = 8;

/** What stands before keys and between them, right or not. */
const MARKS: readonly (readonly number[])[] = [
  [250, ...text("redis-ver"), ...text("7.0.15")],
  [250, ...text("repl-offset"), ...text("-99999999999999999999")],
  [250, 0xc0, 1, 0xc2, 255, 255, 255, 127],
  [251, 3, 1],
  [251, 0x81, 255, 255, 255, 255, 255, 255, 255, 255, 1],
  [251, 0x80, 255, 255, 255, 255, 0x80, 255, 255, 255, 255],
  [254, 0],
  [254, 0x40, 15],
  [254, 0x80, 0, 0, 255, 255],
  [252, 0, 0, 0, 0, 0, 0, 0, 0],
  [252, 255, 255, 255, 255, 255, 255, 255, 127],
  [252, 255, 255, 255, 255, 255, 255, 255, 255],
  [253, 255, 255, 255, 127],
  [248, 0x81, 0, 255, 255, 255, 255, 255, 255, 255],
  [249, 255],
  [244, 1, 2, 3],
  [245, 0],
  [247, 1, 2, 3],
  [255],
];

export class FileAttack implements Attack {
  readonly at = new InProcess({ protocol: 2 });

  readonly #seeds: Seeds;

  constructor(readonly seed: number) {
    this.#seeds = new Seeds(this.at, new Random(seed), () => {});
    settle(this.at);
  }

  /** The file of case `index`. */
  file(index: number): Uint8Array {
    const random = new Random(this.seed + index * STRIDE);
    const other = this.#body(random);
    const body = this.#body(random);
    const wrong = mutated(random, body, other);
    const whole = Buffer.concat([wrong, random.chance(0.9) ? Buffer.from([255]) : Buffer.alloc(0)]);
    const all = Buffer.concat([whole, Buffer.alloc(CHECKSUM)]);
    all.writeBigUInt64LE(this.at.rdb.crc64(0n, whole), whole.length);
    return all;
  }

  run(index: number): boolean {
    const random = new Random(this.seed + index * STRIDE + 1);
    const file = this.file(index);
    const isLoaded = this.#load(file, random);
    if (isLoaded) this.#check();
    for (let database = 0; database < DATABASES; database++)
      if (this.at.keys.size(database) > 0) this.at.keys.flush(database);
    settle(this.at);
    return isLoaded;
  }

  #check(): void {
    const names: Uint8Array[] = [];
    this.at.keys.keys((key) => names.push(this.at.memory.copy(key)));
    for (const name of names) checkValue(this.at, name);
  }

  end(): number {
    return usedWhenEmpty(this.at);
  }

  /** In pieces, as a file or a master sends it; false = it was refused. */
  #load(file: Uint8Array, random: Random): boolean {
    const { memory, keys, rdb } = this.at;
    const parts = { memory, keys, rdb, databaseCount: DATABASES };
    const sink: RdbSink = {
      aux: () => {},
      string: (about, value) => storeString(parts, about, value),
      collection: (about, type) => new CollectionIntake(parts, about, type, random.chance(0.9)),
    };
    const reader = new RdbReader(sink, codecOf(rdb));
    const longest = random.pick([1, 7, 100, 1e6]);
    try {
      for (let at = 0; at < file.length;) {
        const length = random.between(1, longest);
        reader.feed(file.subarray(at, at + length));
        at += length;
      }
      reader.finish();
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      reader.abandon();
      return false;
    } finally {
      memory.database = 0;
    }
  }

  #body(random: Random): Uint8Array {
    const parts: Uint8Array[] = [Buffer.from(`REDIS00${random.pick(["10", "11", "12", "09", "05", "03"])}`)];
    const count = random.between(1, 6);
    for (let i = 0; i < count; i++) {
      while (random.chance(0.3)) parts.push(Uint8Array.from(random.pick(MARKS)));
      const value = this.#seeds.any(random);
      parts.push(value.subarray(0, 1), Uint8Array.from(text(`key${i}`)), value.subarray(1));
    }
    return Buffer.concat(parts);
  }
}
