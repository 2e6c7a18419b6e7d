// A node whose disk takes nothing: nodes.conf cannot be saved. It lives on, says so, promises nothing, and goes on as
// before once there is room.
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmdirSync, symlinkSync } from "node:fs";
import { parseNodesConf } from "../../src/cluster/nodes-conf.ts";
import { fileScope } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { startOurs, type Server } from "../support/servers.ts";

const scope = fileScope();
const NEW_FILE = (server: Server): string => `${server.dir}/nodes.conf.tmp-${server.child.pid}`;

async function startMaster(): Promise<Server> {
  const server = await startOurs(scope, { "cluster-enabled": "yes" });
  const client = await server.connect();
  await client.ok("CLUSTER", "ADDSLOTSRANGE", 0, 16383);
  return server;
}

test("nothing can be saved for a while", async () => {
  const server = await startMaster();
  const client = await server.connect();
  const file = `${server.dir}/nodes.conf`;
  const saved = readFileSync(file, "utf8");
  mkdirSync(NEW_FILE(server)); // nobody can write a file of that name

  const before = await client.text("CLUSTER", "INFO");
  const error = "ERR error saving the cluster node config: ";
  for (const request of [["BUMPEPOCH"], ["DELSLOTS", "5"], ["SAVECONFIG"], ["RESET", "HARD"]] as const) {
    const reply = await client.ask("CLUSTER", ...request);
    expect(String(reply)).toContain(error);
  }
  expect(await client.text("CLUSTER", "INFO")).toBe(before);
  expect(await client.text("INFO", "cluster")).toContain("cluster_config_last_write_status:err");
  expect(server.child.output).toContain("Cannot save the cluster configuration file: ");
  await client.ok("SET", "k", "v");
  expect(readFileSync(file, "utf8")).toBe(saved);

  rmdirSync(NEW_FILE(server));
  expect(String(await client.ask("CLUSTER", "BUMPEPOCH"))).toBe("BUMPED 1");
  expect(await client.text("INFO", "cluster")).toContain("cluster_config_last_write_status:ok");
  expect(server.child.output).toContain("can be saved again");
  expect(parseNodesConf(readFileSync(file, "utf8")).currentEpoch).toBe(1);
  expect(server.child.isRunning).toBe(true);
});

test("a passing failure passes by itself", async () => {
  const server = await startMaster();
  const client = await server.connect();
  symlinkSync("/dev/full", NEW_FILE(server)); // the next file written has no room; the one after it has
  const reply = String(await client.ask("CLUSTER", "BUMPEPOCH"));
  expect(reply).toContain("ERR error saving the cluster node config: No space left on device");
  const status = async (): Promise<boolean> =>
    (await client.text("INFO", "cluster")).includes("cluster_config_last_write_status:ok");
  await eventually(status, 5000, "it was saved after all");
  const { nodes, currentEpoch } = parseNodesConf(readFileSync(`${server.dir}/nodes.conf`, "utf8"));
  expect([nodes.length, currentEpoch]).toEqual([1, 0]);
});

test("a new node that cannot save who it is does not start", async () => {
  const attempt = startOurs(scope, {
    "cluster-enabled": "yes",
    "cluster-config-file": "/dev/full/nodes.conf",
  });
  expect(attempt).rejects.toThrow(/cannot (save|open) \/dev\/full\/nodes\.conf/);
  await attempt.catch(() => {});
});
