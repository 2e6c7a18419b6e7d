// TCP, one small face: listen, connect, and a connection that keeps what the socket does not take at once.
//
// What the runtime leaves to its callers is done here: a write that is only partly accepted is queued and goes on
// when the socket drains; closing after the last byte means shutting the sending side down first and waiting for
// the peer, since closing at once throws away bytes that were accepted but not yet sent.
import type { Socket } from "bun";
import { type Outlet, turn } from "./turn.ts";

/** Milliseconds a peer has to close its side after we shut ours down. */
const LINGER_MS = 5_000;

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

export class Connection implements Outlet {
  user: ConnectionUser | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Bytes accepted by `send` that the socket has not taken yet. */
  queuedBytes = 0;

  #queue: Uint8Array[] = [];
  /** Received and not handed on yet; the socket is paused while its user's turn is over. */
  #unread: Uint8Array[] = [];
  #isPaused = false;
  #finishing = false;
  #peerEnded = false;
  #closed = false;

  constructor(private readonly socket: RawSocket) {
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = plainAddress(socket.localAddress);
    this.localPort = socket.localPort;
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
    const rest = bytes.slice(from + written, to);
    this.#queue.push(rest);
    this.queuedBytes += rest.length;
  }

  /** Closes once everything sent has gone out; nothing more is received or sent. */
  finish(): void {
    if (this.#closed || this.#finishing) return;
    turn.flush();
    this.#finishing = true;
    if (this.queuedBytes === 0) this.#shutdown();
  }

  /** Closes now. What the socket has taken still goes out, unless the peer has sent what was not read; the rest is lost. */
  close(): void {
    if (this.#closed) return;
    turn.flush();
    this.socket.end();
    this.wasClosed();
  }

  /** After so many seconds of silence the system asks whether the peer is still there; 0 = it does not. */
  keepAlive(seconds: number): void {
    this.socket.setKeepAlive(seconds > 0, seconds * 1000);
  }

  wasReceived(chunk: Uint8Array): void {
    if (this.#finishing || this.#closed) return;
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
      if (this.#finishing || this.#closed) this.#unread = [];
    }
    if (this.#isPaused && !this.#closed) this.socket.resume();
    this.#isPaused = false;
    if (this.#peerEnded) this.wasEnded();
  };

  #handOnLater(): void {
    if (!this.#isPaused) this.socket.pause();
    this.#isPaused = true;
    setImmediate(this.#handOn);
  }

  wasDrained(): void {
    if (this.queuedBytes === 0) return;
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
    if (this.queuedBytes > 0) return;
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
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.#unread = [];
    this.queuedBytes = 0;
    this.user?.closed();
  }

  #shutdown(): void {
    if (this.#peerEnded) {
      // Nothing more can arrive, so this close does not cut off what the kernel has yet to deliver.
      this.socket.end();
      return this.wasClosed();
    }
    this.socket.shutdown();
    setTimeout(() => this.close(), LINGER_MS).unref();
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
  const server = Bun.listen<Connection | undefined>({
    ...family,
    hostname: host,
    port,
    allowHalfOpen: true,
    data: undefined,
    socket: {
      ...events,
      open(socket) {
        const connection = new Connection(socket);
        socket.data = connection;
        socket.setNoDelay(true);
        connection.user = accept(connection);
        if (connection.user === undefined) connection.close();
      },
    },
  });
  return { port: server.port, stop: () => server.stop(false) };
}

/** Connects; the promise is rejected when the peer refuses or `timeoutMs` passes. */
export async function connect(host: string, port: number, timeoutMs: number): Promise<Connection> {
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
        opened = new Connection(socket);
        socket.data = opened;
        socket.setNoDelay(true);
        if (late) opened.close();
      },
      connectError() {
        // the promise is rejected with the same error
      },
    },
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      late = true;
      reject(new Error(`no connection to ${host}:${port} within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    await Promise.race([attempt, timeout]);
  } finally {
    clearTimeout(timer);
    attempt.catch(() => {}); // a refusal after the time-out was told already
  }
  if (opened === undefined) throw new Error(`no connection to ${host}:${port}`);
  return opened;
}

/** An exception in our own code: no fault of the socket's, though the runtime hands both to `error`. */
class Defect extends Error {}

/** What a half-run request left behind must not reach the next client: a defect ends the process. */
function defect(cause: unknown): Defect {
  return new Defect("exception in a socket's user", { cause });
}

const events = {
  binaryType: "uint8array" as const,
  data(socket: RawSocket, chunk: Uint8Array): void {
    try {
      socket.data?.wasReceived(chunk);
    } catch (error) {
      throw defect(error);
    }
  },
  drain(socket: RawSocket): void {
    try {
      socket.data?.wasDrained();
    } catch (error) {
      throw defect(error);
    }
  },
  end(socket: RawSocket): void {
    try {
      socket.data?.wasEnded();
    } catch (error) {
      throw defect(error);
    }
  },
  close(socket: RawSocket): void {
    try {
      socket.data?.wasClosed();
    } catch (error) {
      throw defect(error);
    }
  },
  error(socket: RawSocket, error: Error): void {
    if (error instanceof Defect) throw error.cause;
    socket.data?.close();
  },
};

/** An IPv4 address mapped into IPv6 is shown as IPv4. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
