// TCP, one small face: listen, connect, and a connection that keeps what the socket does not take at once.
//
// What the runtime leaves to its callers is done here: a write that is only partly accepted is queued and goes on
// when the socket drains; closing after the last byte means shutting the sending side down first and waiting for
// the peer, since closing with bytes unread may cost the peer what it has yet to read. That wait is bounded in time, in
// bytes and in sockets: the peer may be anybody.
import type { Socket } from "bun";
import { after, type Timer } from "./clock.ts";
import { contained, FaultDomain, type Resource } from "./fault-domain.ts";
import { type Outlet, turn } from "./turn.ts";

/** Milliseconds a peer has to close its side after we shut ours down. */
const LINGER_MS = 5_000;
/** Milliseconds a peer may take nothing of what goes out before the close. */
const STALL_MS = 30_000;
/** Bytes read and thrown away while we wait for a peer to close; one that sends more has not understood. */
const DISCARDED_BYTES = 1_048_576;
/** Connections that may wait for their peers to close; one more, and the oldest is closed at once. */
const LINGERING = 64;
const lingering = new Set<Connection>();

/** Bytes that wait for a socket lie in blocks of this size, unless they are long: small replies are many. */
const BLOCK_BYTES = 16_384;

/** Sockets of this process, those that listen included. */
export const openSockets = {
  count: 0,
  /** So many may be open before those who knock are turned away: see server/client-limit.ts. */
  limit: Infinity,
  get areAllTaken(): boolean {
    return this.count >= this.limit;
  },
};

/**
 * A socket delivers up to some megabytes at a time. They are handed on in pieces, for this long before others have their
 * turn: a pipeline of heavy requests must not keep everybody waiting for the whole of it.
 */
const PIECE_BYTES = 16_384;
const TURN_MS = 1;

/** Who uses a connection. */
export interface ConnectionUser {
  /** `chunk` is the receiver's to keep. */
  received(chunk: Uint8Array): void;
  /** The queue is empty again after having held something. */
  drained?(): void;
  /** Called exactly once, whoever closed. */
  closed(): void;
}

type RawSocket = Socket<Connection | undefined>;

export class Connection implements Outlet, Resource {
  user: ConnectionUser | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Bytes accepted by `send` that the socket has not taken yet. */
  queuedBytes = 0;
  /** How many of them had not gone out when it was closed. */
  unsentBytes = 0;

  #queue: Uint8Array[] = [];
  /** Received and not handed on yet; the socket is paused while its user's turn is over. */
  #unread: Uint8Array[] = [];
  #isPaused = false;
  #finishing = false;
  #discardedBytes = 0;
  /** Closes a connection whose peer takes too long over its end. */
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #peerEnded = false;
  #closed = false;

  constructor(
    private readonly socket: RawSocket,
    /** What its user belongs to. */
    readonly domain = FaultDomain.current,
  ) {
    openSockets.count++;
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = plainAddress(socket.localAddress);
    this.localPort = socket.localPort;
    domain?.own(this);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Sends the bytes in [from, to), at the end of the turn at the latest; they may be reused as soon as this returns. */
  send(bytes: Uint8Array, from = 0, to = bytes.length): void {
    if (this.#closed || this.#finishing || from === to) return;
    if (!turn.take(this, bytes, from, to)) this.write(bytes, from, to);
  }

  /** For the turn: writes now, behind all that was written before, which what the turn still holds was not. */
  write(bytes: Uint8Array, from: number, to: number): void {
    if (this.#closed) return;
    let written = 0;
    if (this.queuedBytes === 0) {
      written = this.socket.write(bytes, from, to - from);
      if (written === to - from) return;
      if (written < 0) return; // the close event follows
    }
    this.#enqueue(bytes.subarray(from + written, to));
  }

  /** Copies what the socket did not take behind what it did not take before. */
  #enqueue(bytes: Uint8Array): void {
    this.queuedBytes += bytes.length;
    const last = this.#queue.at(-1);
    const end = last === undefined ? 0 : last.byteOffset + last.length;
    if (last !== undefined && end + bytes.length <= last.buffer.byteLength) {
      const longer = new Uint8Array(last.buffer, last.byteOffset, last.length + bytes.length);
      longer.set(bytes, last.length);
      this.#queue[this.#queue.length - 1] = longer;
    } else if (bytes.length >= BLOCK_BYTES) {
      this.#queue.push(bytes.slice());
    } else {
      const block = new Uint8Array(BLOCK_BYTES);
      block.set(bytes);
      this.#queue.push(block.subarray(0, bytes.length));
    }
  }

  /** Closes once everything sent has gone out; nothing more is received or sent. */
  finish(): void {
    if (this.#closed || this.#finishing) return;
    turn.flush();
    this.#finishing = true;
    this.#unread = [];
    if (this.queuedBytes === 0) return this.#shutdown();
    this.#pause(); // what it sends need not be read to be thrown away
    this.#closeAfter(STALL_MS);
  }

  /** Closes now. What the socket has taken still goes out, unless the peer has sent what was not read; the rest is lost. */
  close(): void {
    if (this.#closed) return;
    turn.flush();
    this.socket.end();
    this.wasClosed();
  }

  /** Closes now and tells nobody here. What was not written yet is lost, what the turn holds included. */
  abort(): void {
    if (!this.#wasOpen()) return;
    this.socket.terminate();
  }

  /** After so many seconds of silence the system asks whether the peer is still there; 0 = it does not. */
  keepAlive(seconds: number): void {
    this.socket.setKeepAlive(seconds > 0, seconds * 1000);
  }

  wasReceived(chunk: Uint8Array): void {
    if (this.#closed) return;
    if (this.#finishing) return this.#discard(chunk.length);
    if (this.#unread.length === 0 && chunk.length <= PIECE_BYTES) return this.user?.received(chunk);
    this.#unread.push(chunk);
    if (this.#unread.length === 1) this.#handOn();
  }

  readonly #handOn = (): void => {
    const endMs = performance.now() + TURN_MS;
    for (let chunk = this.#unread[0]; chunk !== undefined; chunk = this.#unread[0]) {
      if (performance.now() >= endMs) return this.#handOnLater();
      if (chunk.length > PIECE_BYTES) this.#unread[0] = chunk.subarray(PIECE_BYTES);
      else this.#unread.shift();
      this.user?.received(chunk.subarray(0, PIECE_BYTES));
    }
    if (!this.#finishing) this.#resume();
    if (this.#peerEnded) this.wasEnded();
  };

  #handOnLater(): void {
    this.#pause();
    setImmediate(contained(this.#handOn));
  }

  #pause(): void {
    if (!this.#isPaused) this.socket.pause();
    this.#isPaused = true;
  }

  #resume(): void {
    if (this.#isPaused && !this.#closed) this.socket.resume();
    this.#isPaused = false;
  }

  #discard(byteCount: number): void {
    this.#discardedBytes += byteCount;
    if (this.#discardedBytes > DISCARDED_BYTES) this.close();
  }

  wasDrained(): void {
    if (this.queuedBytes === 0) return;
    const before = this.queuedBytes;
    let index = 0;
    for (; index < this.#queue.length; index++) {
      const bytes = this.#queue[index]!;
      const written = this.socket.write(bytes);
      if (written < 0) return;
      this.queuedBytes -= written;
      if (written < bytes.length) {
        this.#queue[index] = bytes.subarray(written);
        break;
      }
    }
    this.#queue.splice(0, index);
    if (this.queuedBytes > 0) {
      if (this.#finishing && this.queuedBytes < before) this.#closeAfter(STALL_MS);
      return;
    }
    if (this.#finishing) this.#shutdown();
    else this.user?.drained?.();
  }

  /** The peer sends nothing more. It may still read: what is queued for it goes out before the close. */
  wasEnded(): void {
    this.#peerEnded = true;
    if (this.#unread.length > 0 || this.#closed) return; // when that has been handed on
    turn.flush();
    if (this.queuedBytes > 0) this.finish();
    else this.#shutdown();
  }

  wasClosed(): void {
    if (this.#wasOpen()) this.user?.closed();
  }

  /** Whether it was open until now. */
  #wasOpen(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    openSockets.count--;
    lingering.delete(this);
    clearTimeout(this.#deadline);
    this.#queue = [];
    this.#unread = [];
    this.unsentBytes = this.queuedBytes;
    this.queuedBytes = 0;
    this.domain?.disown(this);
    return true;
  }

  #shutdown(): void {
    if (this.#peerEnded) {
      // Nothing more can arrive, so this close does not cut off what the kernel has yet to deliver.
      this.socket.end();
      return this.wasClosed();
    }
    this.socket.shutdown();
    if (this.#closed) return;
    this.#resume(); // or its end would not be heard
    this.#closeAfter(LINGER_MS);
    lingering.add(this);
    if (lingering.size <= LINGERING) return;
    for (const oldest of lingering) return handle(oldest, closing, undefined);
  }

  #closeAfter(ms: number): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(
      contained(() => this.close()),
      ms,
    );
    this.#deadline.unref();
  }
}

export interface Listener {
  readonly port: number;
  /** Accepts nothing more; connections live on. */
  stop(): void;
}

/**
 * @param accept is called with each new connection and says who uses it; undefined = close it.
 * Throws the system's error (`code` EADDRINUSE, EACCES, EADDRNOTAVAIL).
 */
export function listen(
  host: string,
  port: number,
  accept: (connection: Connection) => ConnectionUser | undefined,
): Listener {
  // An IPv6 address means that alone, IPv4 is another word of `bind`. Bun heeds it here; its types do not know.
  const family = { ipv6Only: host.includes(":") };
  const domain = FaultDomain.current;
  const server = Bun.listen<Connection | undefined>({
    ...family,
    hostname: host,
    port,
    allowHalfOpen: true,
    data: undefined,
    socket: {
      ...events,
      open(socket) {
        if (domain?.hasFailed === true) return void socket.terminate();
        socket.data = new Connection(socket, domain);
        socket.setNoDelay(true);
        handle(socket.data, accepted, accept);
      },
    },
  });
  openSockets.count++;
  let isListening = true;
  const abort = (): void => {
    if (!isListening) return;
    isListening = false;
    openSockets.count--;
    server.stop(false);
  };
  const resource = { abort };
  domain?.own(resource);
  const stop = (): void => {
    domain?.disown(resource);
    abort();
  };
  return { port: server.port, stop };
}

function accepted(
  connection: Connection,
  accept: (connection: Connection) => ConnectionUser | undefined,
): void {
  connection.user = accept(connection);
  if (connection.user === undefined) connection.close();
}

/**
 * Attempts to connect that the system has not ended yet, by target. Some outlast their time-out by minutes, when nothing
 * answers at all, and each takes a socket; there is no way to break one off.
 */
const attempts = new Map<string, number>();

function noteAttempt(target: string, by: 1 | -1): void {
  openSockets.count += by;
  const count = (attempts.get(target) ?? 0) + by;
  if (count > 0) attempts.set(target, count);
  else attempts.delete(target);
}

/**
 * Connects; the promise is rejected when the peer refuses or `timeoutMs` passes, and also when sockets are so few that
 * an attempt made before must end first.
 */
export async function connect(host: string, port: number, timeoutMs: number): Promise<Connection> {
  const target = `${host}:${port}`;
  if (openSockets.areAllTaken && attempts.has(target)) throw new Error(`still connecting to ${target}`);
  const domain = FaultDomain.current;
  let opened: Connection | undefined;
  let late = false;
  const attempt = Bun.connect<Connection | undefined>({
    hostname: host,
    port,
    allowHalfOpen: true,
    data: undefined,
    socket: {
      ...events,
      open(socket) {
        if (domain?.hasFailed === true) return void socket.terminate();
        opened = new Connection(socket, domain);
        socket.data = opened;
        socket.setNoDelay(true);
        if (late) opened.close();
      },
      connectError() {
        // the promise is rejected with the same error
      },
    },
  });
  noteAttempt(target, 1);
  const ended = (): void => noteAttempt(target, -1);
  attempt.then(ended, ended);
  let timer: Timer | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = after(timeoutMs, () => {
      late = true;
      reject(new Error(`no connection to ${host}:${port} within ${timeoutMs} ms`));
    });
  });
  try {
    await Promise.race([attempt, timeout]);
  } finally {
    timer?.stop();
    attempt.catch(() => {}); // a refusal after the time-out was told already
  }
  if (opened === undefined) throw new Error(`no connection to ${host}:${port}`);
  return opened;
}

/** Whether `connect` failed because nobody listens there. */
export function isRefused(reason: unknown): boolean {
  return reason instanceof Error && "code" in reason && reason.code === "ECONNREFUSED";
}

/** An exception in our own code: no fault of the socket's, though the runtime hands both to `error`. */
class Defect extends Error {}

/**
 * Runs what a connection's user is told. An exception is the domain's to deal with; without one it goes on to whoever
 * started the process, as what a half-run request left behind must not reach the next client.
 */
function handle<T>(
  connection: Connection | undefined,
  work: (connection: Connection, about: T) => void,
  about: T,
): void {
  if (connection === undefined) return;
  if (connection.domain !== undefined) return connection.domain.run(work, connection, about);
  try {
    work(connection, about);
  } catch (error) {
    throw new Defect("exception in a socket's user", { cause: error });
  }
}

const received = (connection: Connection, chunk: Uint8Array): void => connection.wasReceived(chunk);
const drained = (connection: Connection): void => connection.wasDrained();
const ended = (connection: Connection): void => connection.wasEnded();
const closed = (connection: Connection): void => connection.wasClosed();
const closing = (connection: Connection): void => connection.close();

const events = {
  binaryType: "uint8array" as const,
  data(socket: RawSocket, chunk: Uint8Array): void {
    handle(socket.data, received, chunk);
  },
  drain(socket: RawSocket): void {
    handle(socket.data, drained, undefined);
  },
  end(socket: RawSocket): void {
    handle(socket.data, ended, undefined);
  },
  close(socket: RawSocket): void {
    handle(socket.data, closed, undefined);
  },
  error(socket: RawSocket, error: Error): void {
    if (error instanceof Defect) throw error.cause;
    handle(socket.data, closing, undefined);
  },
};

/** An IPv4 address mapped into IPv6 is shown as IPv4. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
