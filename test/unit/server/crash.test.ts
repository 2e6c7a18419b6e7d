// Faults on every path a node runs on by itself: wherever the engine traps, the node says so once and is gone.
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { FAULT_UNREACHABLE } from "../../../assembly/abi.ts";
import { contained, FaultDomain } from "../../../src/io/fault-domain.ts";
import { after, every, soon } from "../../../src/io/clock.ts";
import { Config } from "../../../src/server/config/config.ts";
import { applyLines } from "../../../src/server/config/parse.ts";
import { Node } from "../../../src/server/node.ts";
import { fileScope } from "../../support/cleanup.ts";
import { Client } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { filesOpenIn } from "../../support/open-files.ts";
import { freePort } from "../../support/ports.ts";
import { tempDir } from "../../support/temp.ts";

const scope = fileScope();

interface Crashing {
  readonly node: Node;
  readonly client: Client;
  /** The log, once the node has crashed. */
  report(): Promise<string>;
}

/** A node that serves in this process. */
async function serving(directives: Readonly<Record<string, string>> = {}): Promise<Crashing> {
  const port = await freePort();
  const dir = tempDir(scope);
  const settings = { "cluster-enabled": "no", save: "", hz: "100", ...directives, dir, logfile: "node.log" };
  const config = new Config();
  const lines = Object.entries({ ...settings, port: String(port) }).map(([name, value]) => {
    const words = [name, ...value.split(" ").filter(Boolean)];
    if (words.length === 1) words.push("");
    return { text: words.join(" "), words, where: "the test" };
  });
  applyLines(config, lines, { read: () => "", expand: () => [] });
  const node = new Node(config, false);
  const crashes: unknown[] = [];
  node.crashed = (cause) => crashes.push(cause);
  node.start();
  scope.defer(() => {
    if (!node.domain.hasFailed) node.stop();
  });
  const client = await Client.open(port);
  scope.defer(() => client.close());
  const report = async (): Promise<string> => {
    await eventually(() => crashes.length > 0, 5000, "the node crashes");
    await expect(Client.open(port)).rejects.toThrow();
    expect(crashes).toEqual([expect.any(WebAssembly.RuntimeError)]);
    return readFileSync(`${dir}/node.log`, "utf8");
  };
  return { node, client, report };
}

const BY_ITSELF = "Request: none, the node was at work of its own";

describe("a trap in what a node does by itself ends it", () => {
  const trap = ({ memory }: Node): never => memory.fault(FAULT_UNREACHABLE);

  test("the sweep for expired keys", async () => {
    const { node, report } = await serving();
    node.keys.expireCycle = () => trap(node);
    expect(await report()).toContain(BY_ITSELF);
  });

  test("memory given back in steps", async () => {
    const { node, report } = await serving();
    node.keys.release = () => trap(node);
    expect(await report()).toContain(BY_ITSELF);
  });

  test("memory given back to the system", async () => {
    const { node, report } = await serving();
    node.cron.idleMemory.step = () => trap(node);
    expect(await report()).toContain("at assembly/fault/fault");
  });

  test("a snapshot in the background, whose file is never put in place", async () => {
    const { node, client, report } = await serving();
    await client.ok("SET", "k", "v");
    node.rdb.slot = () => trap(node);
    client.ask("BGSAVE").catch(() => {});
    expect(await report()).toContain(BY_ITSELF);
    expect(readdirSync(node.directory)).toEqual(["node.log"]);
    expect(filesOpenIn(node.directory)).toBe(0);
  });

  test("the copy for a replica", async () => {
    const { node, client, report } = await serving();
    await client.ok("SET", "k", "v");
    node.rdb.slot = () => trap(node);
    client.ask("PSYNC", "?", -1).catch(() => {});
    expect(await report()).toContain(BY_ITSELF);
  });

  test("the stream of its master", async () => {
    const master = await serving();
    const { node, report } = await serving({ replicaof: `127.0.0.1 ${master.node.port}` });
    await eventually(() => node.replication.isFollowing && !node.replication.isCutOff, 5000, "it follows");
    await eventually(() => !node.replication.isLoading, 5000, "it is in step");
    await master.client.ok("SET", "k", "v");
    node.keys.rename = () => trap(node);
    await master.client.ok("RENAME", "k", "k2");
    expect(await report()).toContain("of our master");
  });

  test("the end of a client's wait", async () => {
    const { node, client, report } = await serving();
    node.waiting.answer = () => trap(node);
    client.ask("BLPOP", "none", 0.01).catch(() => {});
    expect(await report()).toContain(BY_ITSELF);
  });

  test("a connection that is accepted, and one that ends", async () => {
    const one = await serving();
    one.node.clients.accept = () => trap(one.node);
    (await Client.open(one.node.port)).close();
    expect(await one.report()).toContain(BY_ITSELF);
    const other = await serving();
    other.node.transactions.left = () => trap(other.node);
    other.client.close();
    expect(await other.report()).toContain(BY_ITSELF);
  });
});

test("what a damaged keyspace cannot tell is left out of the report", async () => {
  const { node } = await serving();
  node.clients.all = () => {
    throw new Error("damaged");
  };
  await eventually(() => node.domain.hasFailed, 5000, "the node crashes");
  const log = readFileSync(`${node.directory}/node.log`, "utf8");
  expect(log).toContain("Request: cannot be told, Error: damaged");
  expect(log).toContain("END OF THE CRASH REPORT");
});

describe("a domain of faults", () => {
  test("runs nothing once it has failed, and tells once", async () => {
    const told: unknown[] = [];
    const ran: string[] = [];
    const domain = new FaultDomain((cause) => told.push(cause));
    const other = new FaultDomain(() => ran.push("never"));
    let later: () => void = () => {};
    domain.within(() => {
      every(1, () => ran.push("every"));
      after(1, () => ran.push("after"));
      soon(() => ran.push("soon"));
      later = contained(() => ran.push("later"));
      after(0, () => {
        throw new Error("first");
      });
    });
    domain.run(() => ran.push("before"), undefined, undefined);
    domain.fail("second");
    domain.fail("third");
    const passed = new Promise<void>((resolve) => {
      other.within(() => after(20, resolve));
    });
    later();
    domain.run(() => ran.push("run"), undefined, undefined);
    await passed;
    expect(told).toEqual(["second"]);
    expect(ran).toEqual(["before"]);
  });

  test("ends all it holds open, whatever one of them does", () => {
    const ended: string[] = [];
    const domain = new FaultDomain(() => {});
    domain.own({ abort: () => ended.push("one") });
    domain.own({
      abort: () => {
        throw new Error("stuck");
      },
    });
    domain.own({ abort: () => ended.push("other") });
    const gone = { abort: () => ended.push("gone") };
    domain.own(gone);
    domain.disown(gone);
    expect(() => domain.fail("why")).toThrow("stuck");
    expect(ended).toEqual(["one", "other"]);
  });

  test("ends at once what begins after it has failed", () => {
    const ended: string[] = [];
    const domain = new FaultDomain(() => domain.own({ abort: () => ended.push("while it is told") }));
    domain.fail("why");
    domain.own({ abort: () => ended.push("later") });
    expect(ended).toEqual(["while it is told", "later"]);
  });

  test("goes with what a callback begins, and not with what is beside it", async () => {
    const told: string[] = [];
    const domain = new FaultDomain((cause) => told.push(String(cause)));
    const inner = (): void => {
      throw new Error("deep");
    };
    domain.within(() => {
      soon(() => after(0, () => soon(inner)));
    });
    expect(FaultDomain.current).toBeUndefined();
    await eventually(() => told.length > 0, 2000, "the fault arrives");
    expect(told).toEqual(["Error: deep"]);
    expect(FaultDomain.current).toBeUndefined();
  });
});
