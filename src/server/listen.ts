// The addresses of `bind`: all of them listened on, those marked with `-` only if this machine has them.
import { codeOf, reasonOf } from "../io/reason.ts";
import { listen, type Connection, type ConnectionUser, type Listener } from "../io/sockets.ts";
import { PortTaken, StartError } from "./start-error.ts";

/** @param hosts words of `bind`: addresses, `*` = every IPv4 one, `::*` = every IPv6 one; a leading `-` = optional */
export function listenOnAll(
  hosts: readonly string[],
  port: number,
  accept: (connection: Connection) => ConnectionUser | undefined,
): Listener[] {
  const listeners: Listener[] = [];
  try {
    for (const word of hosts) {
      const isOptional = word.startsWith("-");
      const host = addressOf(isOptional ? word.slice(1) : word);
      try {
        listeners.push(listen(host, port, accept));
      } catch (error) {
        const code = codeOf(error);
        if (isOptional && code !== "EADDRINUSE") continue;
        const Refusal = code === "EADDRINUSE" ? PortTaken : StartError;
        throw new Refusal(`cannot listen on ${host}:${port}: ${reasonOf(error)}`);
      }
    }
    if (listeners.length === 0)
      throw new StartError(`cannot listen on port ${port}: no address of bind is usable`);
  } catch (error) {
    for (const listener of listeners) listener.stop();
    throw error;
  }
  return listeners;
}

function addressOf(word: string): string {
  if (word === "*") return "0.0.0.0";
  return word === "::*" ? "::" : word;
}
