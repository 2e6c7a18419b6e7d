// A replica of a test's making, which only listens: what a master tells its replicas, byte for byte.
import { connect } from "node:net";
import type { Scope } from "./cleanup.ts";
import type { Client } from "./client.ts";
import { eventually } from "./eventually.ts";
import { encodeRequest } from "./resp.ts";
import type { Server } from "./servers.ts";

export interface StreamListener {
  /** A connection to the master. */
  readonly client: Client;
  /** What came since it was last asked, up to a mark that is made for it. */
  next(): Promise<string>;
}

/** @param markKey a key of the master's own, which marks are written to */
export async function listenToStream(
  scope: Scope,
  server: Server,
  markKey = "mark",
): Promise<StreamListener> {
  const client = await server.connect();
  let heard = "";
  const socket = connect({ port: server.port, host: "127.0.0.1" });
  scope.defer(() => void socket.destroy());
  socket.on("data", (chunk) => (heard += Buffer.from(chunk).toString("latin1")));
  socket.write("PSYNC ? -1\r\n");
  let count = 0;
  const next = async (): Promise<string> => {
    const value = String(1000 + ++count);
    const mark = encodeRequest(["SET", markKey, value]).toString("latin1");
    await client.ok("SET", markKey, value);
    await eventually(() => heard.includes(mark), 15_000, "the replica hears the mark");
    const told = heard.slice(0, heard.indexOf(mark));
    heard = heard.slice(told.length + mark.length);
    return told;
  };
  await eventually(() => heard.includes("+FULLRESYNC"), 15_000, "a copy begins");
  await next();
  return { client, next };
}
