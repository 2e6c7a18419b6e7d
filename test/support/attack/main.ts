// Runs cases of an attack: `bun main.ts restore|file seed first count`. The last line tells how many were accepted; every
// hundredth case is told on the way, so that one that never ends can be found.
import { chooseEngine } from "../../../src/engine/binary.ts";
import { FileAttack } from "./file-attack.ts";
import { RestoreAttack } from "./restore-attack.ts";

const TOLD = 100;
/**
 * So many cases, or that share of all, are run again so often. What is lost is lost each time; blocks that are kept for
 * the next use grow once or twice.
 */
const REPEATED = 2000;
const REPEATED_SHARE = 10;
const ROUNDS = 4;

if (process.env["SLOTMESH_TEST_ENGINE"] === "debug") chooseEngine("debug");
const [name, ...numbers] = process.argv.slice(2);
const [seed = 1, first = 0, count = 1] = numbers.map(Number);
const attack = name === "file" ? new FileAttack(seed) : new RestoreAttack(seed);

function runAll(from: number, to: number): number {
  let accepted = 0;
  for (let index = from; index < to; index++) {
    if (index % TOLD === 0) console.log(`case ${index} of seed ${seed}`);
    try {
      if (attack.run(index)) accepted++;
    } catch (error) {
      console.log(`case ${index} of seed ${seed} failed`);
      throw error;
    }
  }
  return accepted;
}

const accepted = runAll(first, first + count);
const repeated = Math.min(REPEATED, Math.ceil(count / REPEATED_SHARE));
const used: number[] = [attack.end()];
for (let round = 0; round < ROUNDS; round++) {
  runAll(first, first + repeated);
  used.push(attack.end());
}
if (used.slice(2).every((bytes, i) => bytes > used[i + 1]!))
  throw new Error(
    `memory is not given back by ${repeated} cases: ${used.join(", ")} bytes in use without a key`,
  );
console.log(`${accepted} of ${count} accepted`);
