// The connection family: who am I, in which protocol, in which database.
import { Random } from "../support/random.ts";
import type { Argument } from "../support/resp.ts";
import { conformance } from "./harness/conformance.ts";
import { exceptFields, sameShape } from "./harness/compare.ts";
import type { Compare, Mode, Step } from "./harness/step.ts";
import { integer, mangle, mixCase, value } from "./harness/values.ts";

/** Differ between any two servers: the connection's number. */
const exceptId = exceptFields("id");

function connectionStep(random: Random, mode: Mode): Step {
  const [args, compare] = random.weighted<readonly [readonly Argument[], Compare?]>([
    [10, () => [random.chance(0.5) ? ["PING"] : ["PING", value(random)]]],
    [10, () => [["ECHO", value(random)]]],
    [6, () => [["SELECT", mode === "alone" ? random.pick(["0", "1", "15", "16", "-1", integer(random)]) : integer(random)]]],
    [6, () => [["CLIENT", mixCase(random, "setname"), random.pick(["me", "", "a b", "tab\t", "ünï", "x\n", "~!"])]]],
    [6, () => [["CLIENT", "GETNAME"]]],
    [2, () => [["CLIENT", "ID"], sameShape]],
    [2, () => [["CLIENT", random.pick(["NOSUCH", "", "getname2"])]]],
    [2, () => [["CLIENT", "NO-EVICT", random.pick(["on", "OFF", "maybe"])]]],
    [2, () => [["CLIENT", "UNBLOCK", random.pick(["999999", "-1", "abc"]), ...random.pick([[], ["ERROR"], ["TIMEOUT"], ["X"]])]]],
    [2, () => [["CLIENT", "KILL", ...random.pick([["1.2.3.4:5"], ["ID", "999999"], ["ID", "abc"], ["TYPE", "nosuch"], ["USER", "nobody"], ["ADDR", "1.1.1.1:1"], ["LADDR", "1.1.1.1:1"], ["SKIPME", "maybe"], ["ID"], ["NOSUCH", "1"]])]]],
    [2, () => [["CLIENT", "LIST", ...random.pick([["ID", "999999"], ["TYPE", "nosuch"], ["TYPE", "replica"], ["ID"], ["ID", "abc"], ["NOSUCH"]])]]],
    [2, () => [["CLIENT", "REPLY", random.pick(["maybe", ""])]]],
    [2, () => [["CLIENT", "PAUSE", ...random.pick([["abc"], ["-1"], [], ["0", "nosuch"]])]]],
    [1, () => [["CLIENT", "UNPAUSE"]]],
    [4, () => [["HELLO", random.pick(["2", "3"])], exceptId]],
    [3, () => [["HELLO", ...random.pick([["1"], ["4"], ["abc"], ["3", "SETNAME"], ["3", "NOSUCH"], ["2", "AUTH", "default"], ["3", "AUTH", "default", "wrong"], [""]])], exceptId]],
    [2, () => [["HELLO", random.pick(["2", "3"]), "SETNAME", random.pick(["me", "a b"])], exceptId]],
    [1, () => [["HELLO"], exceptId]],
    [2, () => [["AUTH", ...random.pick([["x"], ["default", "x"], ["nobody", "x"], ["default", ""], ["a", "b", "c"], []])]]],
    [1, () => [["RESET"]]],
    [2, () => [["READONLY"]]],
    [2, () => [["READWRITE"]]],
    [2, () => [["ASKING"]]],
    [3, () => [[random.pick(["NOSUCHCOMMAND", "", "get\0", "ПРИВЕТ", "x".repeat(200), "multi\r\nline"]), ...Array.from({ length: random.below(4) }, () => value(random))]]],
    [1, () => [["SELECT", ...random.pick([[], ["0", "1"]])]]],
  ]); // prettier-ignore
  return { args: mangleMost(random, args), ...(compare === undefined ? {} : { compare }) };
}

/** CLIENT ID and HELLO keep to their forms: their replies are compared by a rule that a misspelling would escape. */
function mangleMost(random: Random, args: readonly Argument[]): readonly Argument[] {
  const words = args.slice(0, 2).map((arg) => String(arg).toUpperCase());
  return words[0] === "HELLO" || words[0] === "CLIENT" ? args : mangle(random, args);
}

conformance("connection", connectionStep, { state: false });
