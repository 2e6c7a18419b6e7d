// What others say of themselves is shown as it is: none of it may look like a line, or a field, that is ours.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileScope } from "../../support/cleanup.ts";
import { bareNode, Peer } from "../../support/node.ts";

const scope = fileScope();

test("REPLCONF takes ports and addresses, and nothing else for them", () => {
  const node = bareNode(scope);
  const [peer, replica] = [new Peer(node), new Peer(node)];
  replica.ask("PSYNC", "?", -1);
  for (const port of ["-5", "65536", "99999999999"])
    expect(replica.ask("REPLCONF", "listening-port", port)).toBe(
      "-ERR value is out of range, value must between 0 and 65535\r\n",
    );
  for (const port of ["", "x", "1.5", "99999999999999999999"])
    expect(replica.ask("REPLCONF", "listening-port", port)).toStartWith("-ERR value is not an integer");
  for (const address of ["a\nb", "a\r\nrole:slave", "1.2.3.4,port=1", "a b", "a\0", "\xff", "a=b"])
    expect(replica.ask("REPLCONF", "ip-address", Buffer.from(address, "latin1"))).toStartWith(
      "-ERR REPLCONF ip-address provided by replica instance is no address",
    );
  expect(replica.ask("REPLCONF", "ip-address", "x".repeat(256))).toContain("is too long: 256 bytes");
  const line = (): string | undefined => /^slave0:.*/m.exec(peer.ask("INFO", "replication"))?.[0];
  expect(line()).toStartWith("slave0:ip=127.0.0.1,port=0,");
  for (const [address, port] of [
    ["10.0.0.9", 0],
    ["::1", 65535],
    ["fe80::1%eth0", 7001],
    ["node-1.example.org", 1],
  ] as const) {
    expect(replica.ask("REPLCONF", "ip-address", address, "listening-port", port)).toBe("+OK\r\n");
    expect(line()).toStartWith(`slave0:ip=${address},port=${port},`);
  }
});

test("INFO keeps a value on its line", () => {
  const node = bareNode(scope);
  const peer = new Peer(node);
  expect(peer.ask("REPLICAOF", "host\r\nrole:master", 1)).toBe("+OK\r\n");
  const info = peer.ask("INFO", "replication");
  expect(info.match(/^role:/gm)).toEqual(["role:"]);
  expect(info).toContain("master_host:host  role:master\r\n");
});

test("the log keeps what it quotes on its line", () => {
  const node = bareNode(scope);
  const replica = new Peer(node);
  replica.ask("PSYNC", `id\r\n1:M forged \x1b[2J`, 5);
  const log = readFileSync(join(node.directory, "node.log"), "utf8");
  expect(log).toContain("id\\x0d\\x0a1:M forged \\x1b[2J");
  for (const line of log.trimEnd().split("\n"))
    expect(line).toMatch(/^\d+:[MS] \d\d \w{3} \d{4} [\d:.]+ [*#.-] /);
});

test("a replica has acknowledged what there is, whatever it says", () => {
  const node = bareNode(scope);
  const [peer, replica] = [new Peer(node), new Peer(node)];
  replica.ask("PSYNC", "?", -1);
  for (const offset of ["-5", "999999999", "9007199254740993", "99999999999999999999", "x"])
    expect(replica.ask("REPLCONF", "ACK", offset)).not.toContain("-ERR");
  peer.ask("SET", "a", "b");
  peer.ask("WAIT", 1, 0);
  expect(peer.taken()).toBe("");
  expect(node.replication.master.replicas[0]?.ackOffset).toBe(0);
});
