// Directives of a running node: CONFIG GET, SET and REWRITE.
import { describe, expect, test } from "bun:test";
import { Config } from "../../../src/server/config/config.ts";
import { DIRECTIVES } from "../../../src/server/config/directives.ts";
import { ConfigError } from "../../../src/server/config/kinds.ts";
import { rewriteConfiguration } from "../../../src/server/config/rewrite.ts";
import { accept, ADDRESS_FAULT, fromFile, refused, start } from "../../support/configuration.ts";

describe("CONFIG GET and SET", () => {
  test("names are echoed as asked, patterns find aliases too", () => {
    const config = new Config();
    expect([...config.get(["HZ", "h?", "nope"])]).toEqual([["HZ", "10"]]);
    expect([...config.get(["*-priority", "replica-priority"])]).toEqual([
      ["replica-priority", "100"],
      ["slave-priority", "100"],
    ]);
    expect([...config.get(["list-max-[a-l]*"]).keys()]).toEqual(["list-max-listpack-size"]);
    expect([...config.get(["list-max-[^l]*"]).keys()]).toEqual(["list-max-ziplist-size"]);
  });

  test("all pairs are set or none", () => {
    const config = new Config();
    accept(config, [
      ["hz", "20"],
      ["SLAVE-priority", "5"],
    ]);
    expect([config.number("hz"), config.number("replica-priority")]).toEqual([20, 5]);
    expect(refused(config, ["hz", "30"], ["maxclients", "x"])).toEqual([
      "maxclients",
      "argument couldn't be parsed into an integer",
    ]);
    expect(config.number("hz")).toBe(20);
  });

  test("what may not be set", () => {
    const config = new Config();
    expect(refused(config, ["nope", "1"])).toEqual(["nope", undefined]);
    expect(refused(config, ["cluster-enabled", "no"])).toEqual([
      "cluster-enabled",
      "can't set immutable config",
    ]);
    expect(refused(config, ["dir", "/x"])).toEqual(["dir", "can't set protected config"]);
    expect(refused(config, ["hz", "1"], ["hz", "2"])).toEqual(["hz", "duplicate parameter"]);
    expect(refused(config, ["port", "1"])[1]).toBe("it takes effect only at the start of this server");
    expect(refused(config, ["appendonly", "yes"])[1]).toStartWith("this server does not implement");
  });

  test("a watcher hears of each change; when one refuses, all is as before", () => {
    const config = new Config();
    const heard: unknown[] = [];
    config.watch("timeout", (value) => heard.push(value));
    config.watch("port", (value) => {
      heard.push(value);
      if (value === 13) throw new ConfigError("Unable to listen on this port. Check server logs.");
    });
    accept(config, [
      ["timeout", "5"],
      ["port", "14"],
    ]);
    accept(config, [["timeout", "5"]]);
    expect(heard).toEqual([0, 6379, 5, 14]);
    expect(refused(config, ["timeout", "6"], ["port", "13"])).toEqual([
      "port",
      "Unable to listen on this port. Check server logs.",
    ]);
    expect(heard).toEqual([0, 6379, 5, 14, 6, 13, 5, 14]);
    expect([config.number("timeout"), config.number("port")]).toEqual([5, 14]);
  });

  test("a change that does not show is told too", () => {
    const config = new Config();
    accept(config, [["notify-keyspace-events", "AKn"]]);
    const heard: string[] = [];
    config.watch("notify-keyspace-events", (classes) => heard.push(classes));
    accept(config, [["notify-keyspace-events", "AK"]]);
    expect(heard.map((classes) => classes.includes("n"))).toEqual([true, false]);
  });

  test("an announced address is any that can stand in a line, or none again", () => {
    const config = new Config();
    for (const ip of ["10.0.0.9", "fe80::1%eth0", "node_1.example-net", ""]) {
      accept(config, [
        ["cluster-announce-ip", ip],
        ["replica-announce-ip", ip],
      ]);
    }
    expect(refused(config, ["cluster-announce-ip", "a,b"])).toEqual(["cluster-announce-ip", ADDRESS_FAULT]);
  });

  test.each([
    ["KEA", "AKE"],
    ["$lg", "g$l"],
    ["gA", "A"],
    ["gxE", "gxE"],
    ["nmKE", "nKEm"],
    ["md", "dm"],
    ["KAn", "AK"],
  ])("event classes %s print as %s", (given, shown) => {
    expect(DIRECTIVES["notify-keyspace-events"].kind.parse([given]).text).toBe(shown);
  });

  test("a class of client-output-buffer-limit not named keeps its limits", () => {
    const config = new Config();
    accept(config, [["client-output-buffer-limit", "normal 1mb 0 60 replica 2mb 1kb 1"]]);
    expect(config.text("client-output-buffer-limit")).toBe(
      "normal 1048576 0 60 slave 2097152 1024 1 pubsub 33554432 8388608 60",
    );
  });
});

describe("CONFIG REWRITE", () => {
  test("lines change where they stand, comments stay, new ones go under the marker", () => {
    const old = '# mine\nport 1\n\n  slave-priority 100 \n# pass\nrequirepass "x"\nunknown thing\nport 2\n';
    const config = fromFile(old.replace("unknown thing\n", ""));
    accept(config, [
      ["replica-priority", "9"],
      ["maxmemory", "1gb"],
      ["masterauth", 'p"w'],
    ]);
    const once = rewriteConfiguration(old, config);
    expect(once).toBe(
      '# mine\nport 2\n\nreplica-priority 9\n# pass\nrequirepass "x"\nunknown thing\n' +
        '# Generated by CONFIG REWRITE\nmaxmemory 1gb\nmasterauth "p\\"w"\n',
    );
    expect(rewriteConfiguration(once, config)).toBe(once);
  });

  test("a master is written down where no nodes.conf says it", () => {
    const config = start(["--cluster-enabled", "no"]);
    config.recordMaster({ host: "a b", port: 7 });
    expect(config.text("replicaof")).toBe("a b 7");
    expect(rewriteConfiguration("slaveof x 1\n", config)).toStartWith('replicaof "a b" 7\n');
    config.recordMaster(undefined);
    expect(rewriteConfiguration("slaveof x 1\n", config)).not.toContain("of ");
    const member = new Config();
    member.recordMaster({ host: "10.0.0.1", port: 7 });
    expect(rewriteConfiguration("", member)).not.toContain("replicaof");
  });

  test("what was written reads back the same", () => {
    const config = new Config();
    accept(config, [
      ["client-output-buffer-limit", "pubsub 1mb 1kb 9"],
      ["requirepass", "a b\n\xff'\"\\"],
      ["latency-tracking-info-percentiles", ""],
      ["cluster-node-timeout", "9007199254740993"],
    ]);
    const again = fromFile(rewriteConfiguration("", config));
    expect([...again.get(["*"])]).toEqual([...config.get(["*"])]);
  });
});
