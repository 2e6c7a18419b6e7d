// All clients of a node: who is connected, who may connect, and who waits for a pause to end.
import { openSockets, type Connection, type ConnectionUser } from "../io/sockets.ts";
import { nowMs } from "../io/clock.ts";
import { isLoopback } from "./addresses.ts";
import { ClientConnection, type ClientHost } from "./client.ts";
import type { Config } from "./config/config.ts";
import { OutputLimits } from "./output-limits.ts";
import type { Stats } from "./stats.ts";

const PROTECTED =
  "-DENIED slotmesh is running in protected mode because protected mode is enabled and no password is set for the " +
  "default user. In this mode connections are only accepted from the loopback interface. To accept connections from " +
  "other hosts, set a password with requirepass, or turn protected-mode off with CONFIG SET protected-mode no from " +
  "this machine, in the configuration file or on the command line.\r\n";
const TOO_MANY = "-ERR max number of clients reached\r\n";
const TOO_MANY_WITH_LINKS = "-ERR max number of clients + cluster connections reached\r\n";

const encoder = new TextEncoder();

export class Clients {
  readonly #all = new Map<number, ClientConnection>();
  #lastId = 0;
  /** Clients that said MONITOR. */
  monitorCount = 0;
  readonly outputLimits: OutputLimits;

  constructor(
    private readonly host: ClientHost,
    private readonly config: Config,
    private readonly stats: Stats,
  ) {
    this.outputLimits = new OutputLimits(config);
    config.onChange("proto-max-bulk-len", () => this.#limitAll());
    config.onChange("client-query-buffer-limit", () => this.#limitAll());
  }

  get count(): number {
    return this.#all.size;
  }

  all(): Iterable<ClientConnection> {
    return this.#all.values();
  }

  get(id: number): ClientConnection | undefined {
    return this.#all.get(id);
  }

  /** A new connection: its user, or undefined when it is not wanted (it has been told why). */
  accept(connection: Connection): ConnectionUser | undefined {
    const { config, stats } = this;
    stats.totals.connections++;
    const refusal = this.#refusal(connection);
    if (refusal !== undefined) {
      stats.totals.rejectedConnections++;
      connection.send(encoder.encode(refusal));
      return undefined; // nothing is waited for: whoever knocks must not hold what clients may not
    }
    connection.keepAlive(config.number("tcp-keepalive"));
    const client = this.#add(connection);
    this.#limit(client);
    client.authenticated = config.text("requirepass") === "";
    return client;
  }

  /** Makes the connection to our master a client: what it sends is not limited. */
  adoptMaster(connection: Connection): ClientConnection {
    const client = this.#add(connection);
    client.isMaster = true;
    client.decoder.bulkLimit = Infinity;
    return client;
  }

  remove(client: ClientConnection): void {
    this.#all.delete(client.id);
    client.isMonitor = false;
  }

  closeAll(): void {
    for (const client of this.#all.values()) client.connection.close();
  }

  #add(connection: Connection): ClientConnection {
    const client = new ClientConnection(++this.#lastId, connection, this.host, nowMs());
    this.#all.set(client.id, client);
    return client;
  }

  #limit(client: ClientConnection): void {
    client.decoder.bulkLimit = this.config.number("proto-max-bulk-len");
    client.inputLimit = this.config.number("client-query-buffer-limit");
  }

  #limitAll(): void {
    for (const client of this.#all.values()) if (!client.isMaster) this.#limit(client);
  }

  #refusal({ remoteAddress }: Connection): string | undefined {
    const { config, host } = this;
    const room = config.number("maxclients") - host.clusterConnections;
    if (this.#all.size >= room || openSockets.areAllTaken)
      return config.flag("cluster-enabled") ? TOO_MANY_WITH_LINKS : TOO_MANY;
    const isProtected = config.flag("protected-mode") && config.text("requirepass") === "";
    return isProtected && !isLoopback(remoteAddress) ? PROTECTED : undefined;
  }
}
