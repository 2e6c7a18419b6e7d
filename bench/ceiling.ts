// The most any server in this runtime could serve: it counts requests and answers +OK to each, and knows nothing else.
// Run as a process of its own: bun bench/ceiling.ts <port>

const STAR = 42;
const OK = Buffer.from("+OK\r\n");
const MANY = 100_000;
const replies = Buffer.alloc(OK.length * MANY, OK);

interface State {
  /** Replies the socket has not taken yet. */
  waiting: Buffer;
}

function send(socket: Bun.Socket<State>, bytes: Buffer): void {
  const taken = Math.max(0, socket.write(bytes));
  socket.data.waiting = taken < bytes.length ? Buffer.from(bytes.subarray(taken)) : Buffer.alloc(0);
}

/** Requests in a chunk: redis-benchmark sends no star but the one that begins a request. */
function countRequests(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(STAR); at >= 0; at = chunk.indexOf(STAR, at + 1)) count++;
  return count;
}

const port = Number(process.argv[2]);
Bun.listen<State>({
  hostname: "127.0.0.1",
  port,
  socket: {
    open(socket) {
      socket.data = { waiting: Buffer.alloc(0) };
    },
    data(socket, chunk) {
      const reply = replies.subarray(0, countRequests(chunk) * OK.length);
      const { waiting } = socket.data;
      send(socket, waiting.length > 0 ? Buffer.concat([waiting, reply]) : reply);
    },
    drain(socket) {
      if (socket.data.waiting.length > 0) send(socket, socket.data.waiting);
    },
  },
});
console.log(`counting requests on port ${port}`);
