import { describe, expect, test } from "bun:test";
import { Config } from "../../../src/server/config/config.ts";
import { DIRECTIVES } from "../../../src/server/config/directives.ts";
import { argumentOf, readArguments } from "../../../src/server/config/arguments.ts";
import { editDistance, nearest } from "../../../src/server/config/nearest.ts";
import { quote, quoteIfNeeded, splitWords } from "../../../src/server/config/words.ts";
import { rewriteConfiguration } from "../../../src/server/config/rewrite.ts";
import { accept, ADDRESS_FAULT, failure, fromFile, refused, start } from "../../support/configuration.ts";

describe("words of a line", () => {
  test.each([
    ["port 8001", ["port", "8001"]],
    ["  a\tb  ", ["a", "b"]],
    ["a \"b c\" 'd e'", ["a", "b c", "d e"]],
    ['"\\n\\r\\t\\a\\b\\x41\\xzz\\q\\\\\\""', ['\n\r\t\x07\bAxzzq\\"']],
    ["'it\\'s \\n'", ["it's \\n"]],
    ['save ""', ["save", ""]],
    ['ab"cd"', ["abcd"]],
    ["a\u00a0b\v c", ["a\u00a0b\v", "c"]],
    ['\v"a"\fb', ["a", "b"]],
    ["", []],
  ])("%p", (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  test.each(['"open', "'open", '"a"b', "'a'b", '"end\\'])("%p does not balance", (line) => {
    expect(splitWords(line)).toBeUndefined();
  });

  test("quoting is undone by reading", () => {
    for (const text of ['a b"c\\d\n\r\t\b\x07\x01é', "\0\x7f\xff", "#a", "it's", "", "plain"]) {
      expect(splitWords(quote(text))).toEqual([text]);
      expect(splitWords(`x ${quoteIfNeeded(text)}`)).toEqual(["x", text]);
    }
    expect([quote("é"), quoteIfNeeded("a-1:2"), quoteIfNeeded("#a")]).toEqual(['"\\xe9"', "a-1:2", '"#a"']);
  });
});

describe("start", () => {
  test("the file, standard input and the command line override each other in this order", () => {
    const config = start(
      ["c.conf", "--port", "3", "-"],
      { "c.conf": "port 1\ntimeout 1\nmaxclients 1" },
      "timeout 2\nport 2",
    );
    expect([config.number("port"), config.number("timeout"), config.number("maxclients")]).toEqual([3, 2, 1]);
    expect(config.file).toBe("/base/c.conf");
    expect(start([]).file).toBeUndefined();
  });

  test("comments, case, aliases, units and quotes", () => {
    const config = fromFile(
      '# note\n\n  PORT 8001\r\nslave-priority 7\nmaxmemory 1Gb\nrequirepass "a b"\nhz 600\n',
    );
    expect(config.number("port")).toBe(8001);
    expect(config.number("replica-priority")).toBe(7);
    expect(config.number("maxmemory")).toBe(1024 ** 3);
    expect(config.value("requirepass")).toBe("a b");
    expect(config.number("hz")).toBe(500);
  });

  test("values of several words on the command line", () => {
    const config = start([
      "--bind",
      "127.0.0.1",
      "::1",
      "--client-output-buffer-limit",
      "normal",
      "1kb",
      "1k",
      "9",
    ]);
    expect(config.value("bind")).toEqual(["127.0.0.1", "::1"]);
    expect(config.value("client-output-buffer-limit").normal).toEqual({
      hardBytes: 1024,
      softBytes: 1000,
      softSeconds: 9,
    });
    expect(config.value("client-output-buffer-limit").pubsub.hardBytes).toBe(33554432);
    expect(start(["--bind", "127.0.0.1 ::1"]).value("bind")).toEqual(["127.0.0.1", "::1"]);
  });

  // Each as redis-server 7.0.15 has it.
  test.each<[string[], Record<string, string>]>([
    [["--maxmemory 700mb"], { maxmemory: "734003200" }],
    [["--port 5", "--hz", "20"], { port: "5", hz: "20" }],
    [["--hz 20\ntimeout 7"], { hz: "20", timeout: "7" }],
    [["--requirepass 'a b'"], { requirepass: "a b" }],
    [["--requirepass", "'a b'"], { requirepass: "'a b'" }],
    [["--requirepass", "a b\"c'd\\"], { requirepass: "a b\"c'd\\" }],
    [["--requirepass", "--hz", "--timeout", "7"], { requirepass: "--hz", timeout: "7" }],
    [["--requirepass --hz"], { requirepass: "--hz" }],
    [["--requirepass", "#x"], { requirepass: "#x" }],
    [["--#hz", "77"], { hz: "10" }],
    [["--"], { hz: "10" }],
    [["--save"], { save: "" }],
    [["--SAVE", "--port", "5"], { save: "", port: "5" }],
    [['--save ""', "--port", "5"], { save: "", port: "5" }],
    [["--save", "900", "1", "--save", "300", "10"], { save: "900 1 300 10" }],
    [["--save", "900 1", "--save 300 10 60 5"], { save: "900 1 300 10 60 5" }],
    [["--bind", "127.0.0.1  -::1"], { bind: "127.0.0.1 -::1" }],
    [
      ["--client-output-buffer-limit", 'normal "1mb" 1kb 7'],
      {
        "client-output-buffer-limit":
          "normal 1048576 1024 7 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
      },
    ],
    [["--replicaof", "no one"], { replicaof: "" }],
    [["--list-max-ziplist-value foo", "--hz", "20"], { hz: "20" }],
  ])("%p on the command line", (args, shown) => {
    expect(Object.fromEntries(start(args).get(Object.keys(shown)))).toEqual(shown);
  });

  test.each<[string[], string]>([
    [["--port=7000"], ">>> 'port=7000'\nBad directive or wrong number of arguments"],
    [["--hz", "--port", "5"], `>>> 'hz "--port" "5"'\nwrong number of arguments`],
    [["--hz"], ">>> 'hz'\nwrong number of arguments"],
    [["--port", "5", "extra"], `>>> 'port "5" "extra"'\nwrong number of arguments`],
    [["--port", "5", "--", ""], `>>> '""'\nBad directive or wrong number of arguments`],
    [["-p", "5"], `>>> '"-p" "5"'\nBad directive or wrong number of arguments`],
    [['--requirepass "a b'], `>>> 'requirepass "a b'\nUnbalanced quotes in configuration line`],
    [["--save", "", " 1"], `>>> 'save "" " 1"'\nInvalid save parameters`],
    [["--replicaof", ""], `>>> 'replicaof ""'\nwrong number of arguments`],
  ])("%p on the command line is refused", (args, message) => {
    expect(failure(() => start(args))).toBe(`Reading the command line\n${message}`);
  });

  test("a line as one word of the command line says the same", () => {
    const { lines } = readArguments([
      "--requirepass",
      "a 'b'\xff",
      "--save",
      "",
      "--bind",
      "::1",
      "127.0.0.1",
    ]);
    const words = lines.map(argumentOf);
    expect(words).toEqual(["--requirepass \"a 'b'\\xff\"", '--save ""', "--bind ::1 127.0.0.1"]);
    expect(readArguments(words).lines.map((line) => line.words)).toEqual(lines.map((line) => line.words));
  });

  test("names that once were directives are passed over with one value, whatever it is", () => {
    const retired = ["list-max-ziplist-entries 5", "LIST-MAX-ZIPLIST-VALUE x", "lua-replicate-commands no"];
    expect(fromFile(`${retired.join("\n")}\nhz 20`).number("hz")).toBe(20);
    for (const wrong of ["list-max-ziplist-entries", "lua-replicate-commands a b"]) {
      expect(failure(() => fromFile(wrong))).toEndWith("\nBad directive or wrong number of arguments");
    }
    const config = new Config();
    expect(config.get(["list-max-ziplist-entries"]).size).toBe(0);
    expect(refused(config, ["list-max-ziplist-entries", "1"])[1]).toBeUndefined();
  });

  test("values are bytes, whether they are UTF-8 or not", () => {
    expect(fromFile('requirepass "\\xff\\xfe"').text("requirepass")).toBe("\xff\xfe");
    expect(fromFile("requirepass \xff\xfe").text("requirepass")).toBe("\xff\xfe");
    expect(start(["--masteruser", "\xc3\xa9"]).text("masteruser")).toBe("\xc3\xa9");
    expect(start(["--dir", "/\xc3\xa9"]).path("dir")).toBe("/é");
    expect(failure(() => start(["--dir", "/\xff"]))).toEndWith("\na file name must be UTF-8");
    const config = fromFile('requirepass "a\\x00\\xffb"');
    expect(rewriteConfiguration("", config)).toContain('requirepass "a\\x00\\xffb"\n');
  });

  test("junk is shown with its line, no longer than needed, and steers no terminal", () => {
    expect(failure(() => fromFile("hz 20\nhz 20\0"))).toBe(
      "Reading the configuration file c.conf, at line 2\n>>> 'hz 20\\x00'\nNUL byte in configuration line",
    );
    const long = failure(() => fromFile(`${"x".repeat(1_000_000)} 1`));
    expect(long.length).toBeLessThan(400);
    expect(long).toEndWith("xxx...'\nBad directive or wrong number of arguments");
    expect(failure(() => fromFile("\x1b[2J\xc3\xa9 1"))).toContain(">>> '\\x1b[2Jé 1'");
    expect(fromFile(`${" ".repeat(1_000_000)}hz 20${" ".repeat(1_000_000)}`).number("hz")).toBe(20);
  });

  test("a value may begin with dashes, an empty save is no save", () => {
    expect(start(["--requirepass", "--secret--", "--port", "5"]).value("requirepass")).toBe("--secret--");
    expect(start(["--save", "--port", "5"]).number("port")).toBe(5);
    expect(start(["--save", ""]).value("save")).toEqual([]);
  });

  test("lines of save points add up, and the first puts an end to the default ones", () => {
    expect(start([]).text("save")).toBe("3600 1 300 100 60 10000");
    expect(fromFile("save 60 1").text("save")).toBe("60 1");
    expect(fromFile("save 60 1\nsave 90 2 100 3", "--save", "5", "6").text("save")).toBe(
      "60 1 90 2 100 3 5 6",
    );
    expect(fromFile('save 60 1\nsave ""\nsave 7 8').text("save")).toBe("7 8");
    expect([fromFile("save").text("save"), fromFile("save 60 1\nsave").text("save")]).toEqual(["", "60 1"]);
    const config = fromFile("save 60 1");
    accept(config, [["save", "9 9"]]);
    expect(config.text("save")).toBe("9 9");
  });

  test("include, alone and by pattern", () => {
    const files = {
      "c.conf": "include conf.d/*.conf\ninclude one.conf",
      "conf.d/a.conf": "port 4\ntimeout 9",
      "one.conf": "port 5",
    };
    const config = start(["c.conf"], files);
    expect([config.number("port"), config.number("timeout")]).toEqual([5, 9]);
    expect(failure(() => start(["c.conf"], { "c.conf": "include c.conf" }))).toContain("include each other");
    expect(failure(() => fromFile("include gone"))).toBe(
      "Reading the configuration file c.conf, at line 1\n>>> 'include gone'\n" +
        "Fatal error, can't open config file 'gone': No such file or directory",
    );
  });

  test("a mistyped directive is shown with its place and the nearest name", () => {
    expect(failure(() => fromFile("port 1\ncluster-enable yes\n"))).toBe(
      "Reading the configuration file c.conf, at line 2\n>>> 'cluster-enable yes'\n" +
        "Bad directive or wrong number of arguments: did you mean 'cluster-enabled'?",
    );
    expect(failure(() => start(["--prot", "1"]))).toBe(
      "Reading the command line\n>>> 'prot \"1\"'\nBad directive or wrong number of arguments: did you mean 'port'?",
    );
    expect(failure(() => start(["--qqqqqqqqq", "1"]))).toEndWith("wrong number of arguments");
  });

  test.each([
    ["hz", "wrong number of arguments"],
    ["hz 1 2", "wrong number of arguments"],
    ["hz 0x", "argument couldn't be parsed into an integer"],
    ["hz 010", "argument couldn't be parsed into an integer"],
    ["port 99999", "argument must be between 0 and 65535 inclusive"],
    ["maxmemory foo", "argument must be a memory value"],
    ["maxmemory 1 gb", "wrong number of arguments"],
    ["maxmemory 5gb", "argument must be at most 4294901760: a node's keyspace ends at 4 GiB"],
    ["maxmemory-clients 5x", "argument must be a memory or percent value"],
    ["maxmemory-clients 101%", "percentage argument must be less or equal to 100"],
    ["repl-backlog-size 0", "argument must be between 1 and 9223372036854775807 inclusive"],
    ["repl-backlog-size 99999999999gb", "argument must be a memory value"],
    ["cluster-enabled maybe", "argument must be 'yes' or 'no'"],
    ["loglevel foo", "argument(s) must be one of the following: debug, verbose, notice, warning"],
    ["shutdown-on-sigterm zz", "argument(s) must be one of the following: default, save, nosave, now, force"],
    ["save 60", "Invalid save parameters"],
    ["save 0 5", "Invalid save parameters"],
    ["client-output-buffer-limit normal 1", "Wrong number of arguments in buffer limit configuration."],
    ["client-output-buffer-limit x 1 1 1", "Invalid client class specified in buffer limit configuration."],
    [
      "client-output-buffer-limit normal 1 1 x",
      "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
    ],
    ["maxmemory -1", "argument must be a memory value"],
    ["oom-score-adj-values 1 2", "wrong number of arguments"],
    [
      "oom-score-adj-values 1 2 3000",
      "Invalid oom-score-adj-values, elements must be between -2000 and 2000.",
    ],
    ["latency-tracking-info-percentiles zz", "Invalid latency-tracking-info-percentiles parameters"],
    [
      "latency-tracking-info-percentiles 101",
      "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
    ],
    ["notify-keyspace-events y", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."],
    ["unixsocketperm 9", "argument couldn't be parsed into an octal number"],
    ["dbfilename a/b", "dbfilename can't be a path, just a filename"],
    ["cluster-announce-hostname a_b", "Hostnames may only contain alphanumeric characters, hyphens or dots"],
    ['cluster-announce-ip "10.0.0.9,x"', ADDRESS_FAULT],
    ["cluster-announce-ip '10.0.0.9 x'", ADDRESS_FAULT],
    [`cluster-announce-ip ${"1".repeat(46)}`, "Addresses must be less than 46 characters"],
    ['replica-announce-ip "a\\nrole:master"', ADDRESS_FAULT],
    ['masteruser "a\\x00"', "argument must not hold a NUL byte"],
    ["shutdown-on-sigint save nosave", "shutdown options SAVE and NOSAVE can't be used simultaneously"],
    ["replicaof 127.0.0.1", "wrong number of arguments"],
    ["replicaof 127.0.0.1 99999", "Invalid master port"],
    ["requirepass 'a", "Unbalanced quotes in configuration line"],
    ["loadmodule x", "modules cannot be loaded here"],
    ["rename-command GET x", "commands cannot be renamed here"],
    ["user x on", "ACL users are not supported; set a password with requirepass"],
    ["appendonly yes", "this server does not implement 'appendonly': only its default, 'no', is accepted"],
  ])("%s", (line, reason) => {
    expect(failure(() => fromFile(line))).toBe(
      `Reading the configuration file c.conf, at line 1\n>>> '${line}'\n${reason}`,
    );
  });

  test("directives that contradict each other", () => {
    expect(failure(() => fromFile("replicaof 127.0.0.1 6379"))).toBe(
      "replicaof directive not allowed in cluster mode",
    );
    expect(failure(() => start(["--port", "60000"]))).toContain("leaves no room for the bus");
    expect(start(["--port", "60000", "--cluster-enabled", "no"]).number("port")).toBe(60000);
  });

  test("every default is what its own kind reads", () => {
    for (const name of Object.keys(DIRECTIVES)) {
      const [[shown]] = [[...new Config().get([name]).keys()]];
      expect(shown).toBe(name);
    }
  });
});

test("the nearest name is near, or none", () => {
  expect(editDistance("ab", "ba")).toBe(1);
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("", "abc")).toBe(3);
  expect(nearest("max_memory", ["maxmemory", "maxclients"])).toBe("maxmemory");
  expect(nearest("zzz", ["port"])).toBeUndefined();
});

test("an announced address is one that nodes.conf and the bus can hold", () => {
  const config = new Config();
  for (const address of ["10.0.0.1,x", "10.0.0.1 x", "a\nb", "1.2.3.4@5", "\u00e9", "x".repeat(46)]) {
    expect(refused(config, ["cluster-announce-ip", address])[1]).toMatch(
      /Addresses m(ay only contain|ust be)/,
    );
    expect(failure(() => start(["--cluster-announce-ip", address]))).toContain("cluster-announce-ip");
  }
  for (const address of ["10.0.0.1", "fe80::1%eth0", "redis_1.example-net.com", ""])
    expect(config.set([["cluster-announce-ip", address]])).toBeUndefined();
});

test("--engine is no directive, stands where one may, and is a value where a value is due", () => {
  for (const words of [
    ["--engine", "debug"],
    ["--engine debug"],
    ["--port", "7000", "--engine", "debug", "--hz", "20"],
  ]) {
    expect(readArguments(words)).toMatchObject({ engine: "debug" });
    expect(start(words).text("hz")).toBe(words.includes("--hz") ? "20" : "10");
  }
  expect(readArguments(["--requirepass", "--engine"]).engine).toBeUndefined();
  expect(start(["--requirepass", "--engine"]).text("requirepass")).toBe("--engine");
  for (const words of [["--engine"], ["--engine", "fast"], ["--engine", "debug", "debug"]])
    expect(failure(() => start(words))).toContain("--engine takes one of release, debug");
});
