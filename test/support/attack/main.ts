// Runs cases of an attack: `bun main.ts restore|file seed first count`. The last line tells how many were accepted; every
// hundredth case is told on the way, so that one that never ends can be found.
import { FileAttack } from "./file-attack.ts";
import { RestoreAttack } from "./restore-attack.ts";

const TOLD = 100;
/** So many cases are run once more: what they lost the second time is lost for good. */
const REPEATED = 2000;
const REPEATED_SHARE = 5;

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
attack.end();
const repeated = Math.min(REPEATED, Math.ceil(count / REPEATED_SHARE));
runAll(first, first + repeated);
const before = attack.end();
runAll(first, first + repeated);
const after = attack.end();
if (after > before) throw new Error(`${after - before} bytes were not given back by ${repeated} cases`);
console.log(`${accepted} of ${count} accepted`);
