// A process of its own that asks a server PING over and over, so that what the bench does itself delays nothing it times.
// `bun prober.ts PORT` says `ready`, goes on until its input ends, and prints its waits: worst, 99.9th percentile, count.
import { connect } from "node:net";

const waits: number[] = [];
let isDone = false;
let sentMs = 0;

const socket = connect({ port: Number(process.argv[2]), host: "127.0.0.1" });
const send = (): void => {
  sentMs = performance.now();
  socket.write("PING\r\n");
};
socket.setNoDelay(true);
socket.on("connect", () => {
  process.stdout.write("ready\n");
  send();
});
// The reply is so short that it never comes in parts.
socket.on("data", () => {
  waits.push(performance.now() - sentMs);
  if (!isDone) return send();
  socket.destroy();
  const sorted = Float64Array.from(waits).toSorted();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  process.stdout.write(JSON.stringify({ worstMs: at(1), p999Ms: at(0.999), count: sorted.length }));
});
process.stdin.on("end", () => (isDone = true));
process.stdin.resume();
