// A master that plays a part: it answers the handshake of one replica after another and then does what the test says.
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import type { Scope } from "./cleanup.ts";

export interface FakeMaster {
  readonly port: number;
  /** What replicas asked, one PSYNC line each. */
  readonly asked: string[];
}

/**
 * @param afterPsync is given the socket and how many replicas had come before
 * @param instead may answer what comes before PSYNC itself: true = it did
 */
export async function startFakeMaster(
  scope: Scope,
  afterPsync: (socket: Socket, turn: number) => void,
  instead: (socket: Socket, words: readonly string[]) => boolean = () => false,
): Promise<FakeMaster> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // always followed by close
    let input = "";
    socket.on("data", (chunk) => {
      input += chunk.toString("latin1");
      for (;;) {
        const request = /^\*\d+\r\n(?:\$\d+\r\n([^\r]*)\r\n)+?(?=\*|$)/.exec(input);
        if (request === null) return;
        input = input.slice(request[0].length);
        const words = [...request[0].matchAll(/\$\d+\r\n([^\r]*)\r\n/g)].map(([, word]) => word ?? "");
        const name = words[0]?.toUpperCase();
        if (name !== "PSYNC" && instead(socket, words)) continue;
        if (name === "PING") socket.write("+PONG\r\n");
        else if (name === "REPLCONF" && words[1]?.toUpperCase() !== "ACK") socket.write("+OK\r\n");
        else if (name === "PSYNC") afterPsync(socket, asked.push(words.join(" ")) - 1);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  scope.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}
