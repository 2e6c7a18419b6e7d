// Every verb of redis-cli --cluster, told to a cluster of redis-servers and to one of ours side by side: it must say
// the same of both, word for word, and leave both in the same state with all their keys.
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import type { Answer } from "../support/cluster-cli.ts";
import { fill, type Held } from "../support/cluster-data.ts";
import { untilOk } from "../support/cluster.ts";
import { startRedis } from "../support/servers.ts";
import { tempDir } from "../support/temp.ts";
import { type Twin, Twins } from "../support/twins.ts";

const CONFIG = ["cluster-enabled yes", "cluster-node-timeout 5000", "repl-diskless-sync-delay 0"];
const MASTERS = ["a", "b", "c"];
const ALL = [...MASTERS, "d", "e"];
const KEYS_OF_A_FORM = 12;
const NOBODY = "0123456789012345678901234567890123456789";

const HOW_MANY = "How many slots do you want to move (from 1 to 16384)? ";
const TO_WHOM = "What is the receiving node ID? ";
const FIRST = "Source node #1: ";
const SECOND = "Source node #2: ";
const THIRD = "Source node #3: ";
const PROCEED = "Do you want to proceed with the proposed reshard plan (yes/no)? ";

describe("a cluster of three masters and two nodes to spare", () => {
  const scope = fileScope();
  const twins = new Twins(scope);
  /** What was written into each of the two. */
  let written: readonly [Held, Held];

  const expectWhole = async (): Promise<void> => {
    expect(await twins.changes(written, MASTERS)).toEqual([]);
  };
  const answered = (line: string, ...answers: Answer[]): Promise<string> => twins.same(line, { answers });

  beforeAll(async () => {
    await twins.both(async (twin) => {
      await Promise.all(ALL.map((name) => twin.start(name, {}, { config: CONFIG })));
      await twin.learn(ALL);
    });
    expect(await twins.same("create @a @b @c --cluster-yes")).toContain("[OK] All 16384 slots covered.");
    await twins.table(MASTERS);
    written = await twins.both(async (twin) => {
      await untilOk(twin.ports(MASTERS));
      await fill(twin.server("a").port, KEYS_OF_A_FORM);
      return twin.held(MASTERS);
    });
  }, 120_000);

  test("check, info and fix find nothing wrong", async () => {
    expect(await twins.same("check @b")).toMatch(/\[OK\] 144 keys in 3 masters\.[^]*\(0\)/);
    expect(await twins.same("info @c")).toContain("0.01 keys per slot on average.");
    expect(await twins.same("check @a --cluster-search-multiple-owners")).toContain(
      ">>> Check for multiple slot owners...",
    );
    expect(await twins.same("fix @a")).toContain("[OK] All 16384 slots covered.");
    expect(await twins.same("fix @a --cluster-search-multiple-owners")).toContain("(0)");
    expect(await twins.same("check 127.0.0.1:1")).toContain("(1)");
  });

  test("rebalance within its threshold changes nothing; weights that sum to 16384 are slots", async () => {
    expect(await twins.same("rebalance @a")).toContain("within the 2.00% threshold");
    expect(await twins.same("rebalance @a --cluster-weight nosuch=1")).toContain(
      "*** No such master node nosuch\n(1)",
    );
    const weights = "--cluster-weight #a=5491 #b=5448 #c=5445";
    expect(await twins.same(`rebalance @b ${weights}`)).toContain("within the 2.00% threshold");
    const plan = await twins.same(`rebalance @b ${weights} --cluster-threshold 0.2 --cluster-simulate`);
    expect(plan).toContain("Moving 16 slots from c to a");
    expect(plan).toContain("#".repeat(16));
    await twins.same(`rebalance @b ${weights} --cluster-threshold 0.2 --cluster-pipeline 2`);
    expect(await twins.table(MASTERS)).toEqual([
      "a master - 4 0-5474 10923-10938",
      "b master - 2 5475-10922",
      "c master - 3 10939-16383",
    ]);
    await expectWhole();
  });

  test("add-node refuses what is no blank node, and knows its master", async () => {
    expect(await twins.same("add-node @b @a")).toContain("[ERR] Node b is not empty.");
    expect(await twins.same(`add-node @d @a --cluster-slave --cluster-master-id ${NOBODY}`)).toContain(
      "[ERR]",
    );
    expect(await twins.same("add-node 127.0.0.1:1 @a")).toContain(
      "[ERR] Sorry, can't connect to node 127.0.0.1:1",
    );
    expect(await twins.same("add-node @d 127.0.0.1:1")).toContain("Connection refused");
    const added = await twins.same("add-node @d @a --cluster-slave --cluster-master-id #b");
    expect(added).toContain(">>> Configure node as replica of b.");
    await twins.table([...MASTERS, "d"]);
    expect(await twins.same("add-node @e @a")).toContain("[OK] New node added correctly.");
    expect((await twins.table(ALL)).slice(-2)).toEqual(["d slave b 2", "e master - 0"]);
    await twins.both((twin) => untilOk(twin.ports(ALL)));
  });

  test("rebalance leaves an empty master empty unless it is told", async () => {
    const flags = "--cluster-weight #a=5470 #b=5431 #c=5463 #e=20 --cluster-threshold 0.01";
    expect(
      await twins.same(`rebalance @a ${flags} --cluster-use-empty-masters --cluster-simulate`),
    ).toContain("Moving 20 slots from a to e");
    expect(await twins.same("rebalance @a")).toContain("within the 2.00% threshold");
    await twins.same(`rebalance @a ${flags} --cluster-use-empty-masters`);
    expect((await twins.table(ALL)).at(-1)).toBe("e master - 5 0-19");
    await expectWhole();
  });

  test("call reaches every node, only masters, only replicas", async () => {
    expect(await twins.same("call @d dbsize")).toContain("e: 0\n");
    expect(await twins.same("call @d ping --cluster-only-masters")).toContain(
      "a: PONG\nb: PONG\nc: PONG\ne: PONG\n",
    );
    expect(await twins.same("call @a config get cluster-node-timeout --cluster-only-replicas")).toContain(
      "d: ",
    );
    expect(await twins.same("call @a get foo")).toContain("MOVED 12182 c");
  });

  test("reshard by flags: from some, from all, in small batches", async () => {
    const flags = "--cluster-slots 20 --cluster-yes";
    await twins.same(`reshard @d --cluster-from #a --cluster-to #e ${flags}`);
    await twins.same(
      `reshard @a --cluster-from #b,#c --cluster-to #e ${flags} --cluster-pipeline 1 --cluster-timeout 5000`,
    );
    await twins.same(
      `reshard @e --cluster-from all --cluster-to #e ${flags} --cluster-pipeline 100 --cluster-replace`,
    );
    await twins.table(ALL);
    await expectWhole();
  });

  test("reshard refuses by flags", async () => {
    const refused = async (flags: string): Promise<string> => {
      const said = await twins.same(`reshard @b ${flags} --cluster-yes`);
      expect(said).toEndWith("\n(1)");
      return said;
    };
    const few = "--cluster-slots 2";
    expect(await refused(`--cluster-from #a --cluster-to #a ${few}`)).toContain(
      "to use the target node as source node",
    );
    expect(await refused(`--cluster-from #a --cluster-to #d ${few}`)).toContain(
      "(<d>) is not known or not a master",
    );
    expect(await refused(`--cluster-from ${NOBODY} --cluster-to #a ${few}`)).toContain(
      `(${NOBODY}) is not known`,
    );
    expect(await refused(`--cluster-from #a --cluster-to ${NOBODY} ${few}`)).toContain(
      `(${NOBODY}) is not known`,
    );
    await expectWhole();
  });

  test("reshard asks and believes nothing at once", async () => {
    expect(
      await answered(
        "reshard @a",
        [HOW_MANY, "0"],
        [HOW_MANY, "16385"],
        [HOW_MANY, "3"],
        [TO_WHOM, "#e"],
        [FIRST, "#e"],
        [FIRST, "done"],
      ),
    ).toContain("*** No source nodes given, operation aborted.");
    expect(await answered("reshard @a", [HOW_MANY, "3"], [TO_WHOM, "nosuch"])).toContain(
      "(nosuch) is not known",
    );
    expect(await answered("reshard @a", [HOW_MANY, "3"], [TO_WHOM, "#e"], [FIRST, "#d"])).toEndWith("(1)");
    const before = await twins.table(ALL);
    const no = await answered(
      "reshard @a",
      [HOW_MANY, "3"],
      [TO_WHOM, "#e"],
      [FIRST, "all"],
      [PROCEED, "no"],
    );
    expect(no).toContain("Ready to move 3 slots.");
    expect(no).toEndWith("(1)");
    expect(await twins.table(ALL)).toEqual(before);
  });

  test("reshard does what was typed", async () => {
    await answered(
      "reshard @a",
      [HOW_MANY, "12"],
      [TO_WHOM, "#e"],
      [FIRST, "#a"],
      [SECOND, "#c"],
      [THIRD, "done"],
      [PROCEED, "yes"],
    );
    await twins.table(ALL);
    await expectWhole();
  });

  test("rebalance empties a master of weight 0, which then follows who took its last slot", async () => {
    await twins.same("rebalance @a --cluster-weight #e=0 #a=5473 #b=5440 #c=5471 --cluster-pipeline 20");
    expect((await twins.table(ALL)).at(-1)).toStartWith("e slave ");
    await expectWhole();
  });

  test("del-node takes replicas and no master with slots", async () => {
    expect(await twins.same("del-node @a #b")).toContain(
      "[ERR] Node b is not empty! Reshard data away and try again.",
    );
    expect(await twins.same(`del-node @a ${NOBODY}`)).toContain(`[ERR] No such node ID ${NOBODY}`);
    expect(await twins.same("del-node @c #d")).toContain(
      ">>> Sending CLUSTER RESET SOFT to the deleted node.",
    );
    await twins.table([...MASTERS, "e"]);
    await expectWhole();
  });

  test("import copies and moves keys of a standalone server of either kind", async () => {
    await twins.both(async (twin) => {
      await twin.start("own", { "cluster-enabled": "no" });
      await twin.startRedis("redis", {});
      await twin.start("single", { "cluster-enabled": "no" });
      await fillStandalone(twin, "own", "imported");
      await fillStandalone(twin, "redis", "moved");
      const single = await twin.server("single").connect();
      await single.ok("SET", "imported:text", "another value", "EX", 1000);
    });
    const size = (name: string): Promise<[unknown, unknown]> =>
      twins.both(async (twin) => (await twin.server(name).connect()).ask("DBSIZE"));

    expect(await twins.same("import @a --cluster-from @own --cluster-copy")).toContain(
      "Migrating imported:list to ",
    );
    expect(await size("own")).toEqual([5, 5]);
    await twins.same("import @a --cluster-from @redis");
    expect(await size("redis")).toEqual([0, 0]);
    const news = ["imported", "moved"]
      .flatMap((name) => FORMS.map((form) => `${name}:${form} is new`))
      .toSorted();
    expect((await twins.changes(written, MASTERS)).toSorted()).toEqual([...news, ...news].toSorted());
    written = await twins.both((twin) => twin.held(MASTERS));

    // What is there already stays, unless it is to be replaced.
    expect(await twins.same("import @a --cluster-from @single")).toContain(
      "BUSYKEY Target key name already exists.",
    );
    expect(await size("single")).toEqual([1, 1]);
    await expectWhole();
    await twins.same("import @a --cluster-from @single --cluster-replace");
    expect(await size("single")).toEqual([0, 0]);
    const replaced = "imported:text has another value";
    expect(await twins.changes(written, MASTERS)).toEqual([replaced, replaced]);
    written = await twins.both((twin) => twin.held(MASTERS));
  });

  test("import knows passwords and refuses nodes of a cluster", async () => {
    await twins.both(async (twin) => {
      await (await twin.server("own").connect()).ok("CONFIG", "SET", "requirepass", "open");
    });
    expect(await twins.same("import @a --cluster-from @b")).toContain(
      "[ERR] The source node should not be a cluster",
    );
    expect(await twins.same("import @a")).toContain("[ERR] Option '--cluster-from' is required");
    expect(await twins.same("import @a --cluster-from @own")).toContain("NOAUTH");
    const flags = "--cluster-from @own --cluster-replace --cluster-from-pass open";
    await twins.same(`import @a ${flags} --cluster-copy`);
    await twins.same(`import @a ${flags} --cluster-from-user default`);
    const restored = (await twins.changes(written, MASTERS)).filter(
      (change) => !change.includes(" expires "),
    );
    expect(restored).toEqual(["imported:text has another value", "imported:text has another value"]);
    written = await twins.both((twin) => twin.held(MASTERS));
  });

  test("set-timeout reaches every node and its configuration file", async () => {
    expect(await twins.same("set-timeout @a 6000")).toContain("4 OK, 0 ERR");
    expect(await twins.same("set-timeout @a 50")).toContain("less than 100 milliseconds");
    for (const twin of [twins.judge, twins.subject]) {
      for (const name of [...MASTERS, "e"]) {
        const file = readFileSync(join(twin.server(name).dir, "server.conf"), "utf8");
        expect(file).toMatch(/^cluster-node-timeout 6000$/m);
      }
    }
  });

  test("backup writes the cluster's shape and one file a master, which a redis-server loads", async () => {
    await twins.same("backup @a ~");
    const [theirs, ours] = await twins.both(async (twin) => {
      const text = readFileSync(join(twin.dir, "nodes.json"), "utf8");
      const nodes = JSON.parse(twin.statements(text).join("\n")) as { name: string; port: number | string }[];
      for (const node of nodes) node.port = twin.named.find(({ port }) => port === node.port)?.name ?? "";
      return {
        nodes: nodes.toSorted((one, other) => one.name.localeCompare(other.name)),
        files: twin.statements(readdirSync(twin.dir).join("\n")),
      };
    });
    expect(ours).toEqual(theirs);
    expect(ours.files).toEqual(["nodes.json", ...MASTERS.map((name) => `redis-node-${name}-<${name}>.rdb`)]);
    for (const name of MASTERS) {
      const dir = tempDir(scope);
      const { subject } = twins;
      const file = readdirSync(subject.dir).find((entry) => entry.includes(`-${subject.server(name).port}-`));
      copyFileSync(join(subject.dir, file ?? ""), join(dir, "dump.rdb"));
      const loaded = await startRedis(scope, {}, { dir });
      const digests = [loaded, subject.server(name)].map(async (server) => {
        return (await server.connect()).text("DEBUG", "DIGEST");
      });
      const [copy, original] = await Promise.all(digests);
      expect(copy).toBe(original ?? "");
      await loaded.stop();
    }
  });

  test("a cluster with a password", async () => {
    await twins.both(async (twin) => {
      for (const name of [...MASTERS, "e"]) {
        const client = await twin.server(name).connect();
        await client.ok("CONFIG", "SET", "masterauth", "open");
        await client.ok("CONFIG", "SET", "requirepass", "open");
      }
    });
    expect(await twins.same("check @a")).toContain("[ERR] Node a NOAUTH Authentication required.");
    expect(await twins.same("-a wrong --cluster check @a")).toContain("WRONGPASS");
    expect(await twins.same("-a open --cluster check @a")).toContain("[OK] All 16384 slots covered.");
    const some = "--cluster-slots 10 --cluster-yes";
    const away = `--cluster reshard @a --cluster-from #a --cluster-to #b ${some}`;
    expect(await twins.same(`-a open ${away}`)).toEndWith("(0)");
    const back = `--cluster reshard @a --cluster-from #b --cluster-to #a ${some}`;
    expect(await twins.same(`--user default --pass open --no-auth-warning ${back}`)).toEndWith("(0)");
    expect(await twins.same("rebalance @a", { env: { REDISCLI_AUTH: "open" } })).toContain("2.00% threshold");
    expect(await twins.same("-a open --cluster call @a dbsize")).toContain("e: ");
    expect(await twins.same("-a open --cluster del-node @a #e")).toEndWith("(0)");
    expect(await twins.changes(written, MASTERS, "open")).toEqual([]);
  });
});

const FORMS = ["text", "list", "set", "hash", "zset"];

async function fillStandalone(twin: Twin, name: string, prefix: string): Promise<void> {
  const client = await twin.server(name).connect();
  await client.pipeline([
    ["SET", `${prefix}:text`, `the text of ${prefix}`, "EX", 1000],
    ["RPUSH", `${prefix}:list`, "1", "two", "3"],
    ["SADD", `${prefix}:set`, "1", "two", "3"],
    ["HSET", `${prefix}:hash`, "field", "value"],
    ["ZADD", `${prefix}:zset`, "1.5", "member"],
  ]);
  expect(await client.ask("DBSIZE")).toBe(FORMS.length);
}
