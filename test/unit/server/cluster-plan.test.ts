// What `slotmesh cluster` makes of its command line.
import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { planCluster } from "../../../src/server/cluster-plan.ts";
import { makeNodeConfiguration } from "../../../src/server/node-directories.ts";
import { Scope } from "../../support/cleanup.ts";
import { tempDir } from "../../support/temp.ts";

const scope = new Scope();
afterAll(() => scope.close());

const plan = (line: string) => planCluster(line.split(" ").filter(Boolean));

describe("flags", () => {
  test("three masters with a replica each from port 8001 on, unless told otherwise", () => {
    expect(plan("")).toMatchObject({
      masters: 3,
      replicas: 1,
      ports: [8001, 8002, 8003, 8004, 8005, 8006],
      dir: undefined,
      host: "127.0.0.1",
      password: undefined,
    });
    expect(planCluster(["--masters 4", "--dir", "/\xc3\xa9"])).toMatchObject({ masters: 4, dir: "/é" });
    expect(plan("--masters 1 --replicas=0 --port 7000 --dir /d")).toMatchObject({
      masters: 1,
      replicas: 0,
      ports: [7000],
      dir: "/d",
    });
  });

  test("everything else goes to every node, in its order", () => {
    const { directives } = plan("--maxmemory 1gb --masters 4 --bind 127.0.0.1 ::1");
    expect(directives.slice(0, 2)).toEqual(["--maxmemory 1gb", "--bind 127.0.0.1 ::1"]);
    expect(directives).toContain("--cluster-enabled yes");
    expect(directives).not.toContain("--masters");
  });

  test("a configuration file is shared by all nodes", () => {
    const file = join(tempDir(scope), "redis.conf");
    writeFileSync(file, "maxmemory 1gb\n");
    const { directives, ...asked } = plan(`${file} --masters 4 --hz 20`);
    expect(asked.file).toBe(file);
    expect(directives[0]).toBe("--hz 20");
  });

  test("a node's own file includes the shared one and keeps what was added to it", () => {
    const dir = tempDir(scope);
    const path = makeNodeConfiguration(dir, undefined);
    expect(readFileSync(path, "utf8")).toBe("");
    writeFileSync(path, "hz 20\n");
    makeNodeConfiguration(dir, "/etc/a b.conf");
    expect(readFileSync(path, "utf8")).toBe('include "/etc/a b.conf"\nhz 20\n');
    makeNodeConfiguration(dir, "/etc/c.conf");
    makeNodeConfiguration(dir, undefined);
    expect(readFileSync(path, "utf8")).toBe("hz 20\n");
  });

  test("a password is what replicas tell their masters too, unless another is said", () => {
    const asked = plan("--requirepass secret");
    expect(asked.password).toEqual(Buffer.from("secret"));
    expect(asked.directives.join(" ")).toContain("--masterauth secret");
    expect(plan("--requirepass secret --masterauth other").directives.join(" ")).not.toContain(
      "--masterauth secret",
    );
    const bytes = planCluster(["--requirepass", "\xff 'x'"]);
    expect(bytes.password).toEqual(Buffer.from("\xff 'x'", "latin1"));
    expect(bytes.directives).toContain("--masterauth \"\\xff 'x'\"");
  });

  test("nodes are reached where they listen", () => {
    expect(plan("--bind 127.0.0.2 127.0.0.1").host).toBe("127.0.0.2");
    expect(plan("--bind -::1").host).toBe("::1");
    expect(plan("--bind 0.0.0.0").host).toBe("127.0.0.1");
    expect(plan("--bind *").host).toBe("127.0.0.1");
    expect(plan("--bind 0.0.0.0 --cluster-announce-ip 10.0.0.1").host).toBe("10.0.0.1");
  });
});

test.each([
  ["--masters", /--masters needs a value/],
  ["--masters=", /--masters needs a value/],
  ["--masters 0", /--masters wants a number from 1 on, not '0'/],
  ["--masters three", /not 'three'/],
  ["--replicas -1", /--replicas wants a number from 0 on, not '-1'/],
  ["--replicas 1.5", /not '1.5'/],
  ["--port 99999", /--port wants a number/],
  ["--port 55531", /bus ports up to 65536; the highest/],
  ["--master 3", /--master is neither a flag of cluster nor a directive/],
  ["--maxmemory lots", /maxmemory "lots"/],
  ["-", /read no directives from standard input/],
  ["--cluster-enabled no", /cluster-enabled yes/],
  ["--cluster-port 9000", /cluster-port would be the same for all nodes/],
  ["/no/such/redis.conf", /can't open config file '\/no\/such\/redis.conf'/],
])("%s is refused in clear words", (line, message) => {
  expect(() => plan(line)).toThrow(message);
});

test("the last bus port may be the highest there is", () => {
  expect(plan("--port 55530 --masters 6 --replicas 0").ports.at(-1)).toBe(55535);
});
