// What an operator asks of the cluster: the subcommands of CLUSTER that change something, as data, and how they are
// read from a client's arguments.
import { SLOT_COUNT } from "../../assembly/abi.ts";
import * as errors from "../resp/errors.ts";
import { EPOCH_LEAP } from "./door.ts";
import type { NodeId } from "./message.ts";
import { BUS_OFFSET } from "./options.ts";
import type { SlotRange } from "./slot-bitmap.ts";

export type ClusterRequest =
  | { readonly type: "meet"; readonly ip: string; readonly port: number; readonly busPort: number }
  | { readonly type: "forget" | "replicate"; readonly node: NodeId }
  | { readonly type: "reset"; readonly hard: boolean }
  | {
      readonly type: "addSlots" | "delSlots";
      readonly ranges: readonly SlotRange[];
      /** What is behind these ranges cannot be read; said only when nothing is wrong with the ranges before it. */
      readonly refusal?: Answer;
    }
  | { readonly type: "flushSlots" | "bumpEpoch" | "saveConfig" }
  | { readonly type: "setConfigEpoch"; readonly epoch: number }
  | {
      readonly type: "setSlot";
      readonly slot: number;
      readonly to: "importing" | "migrating" | "node";
      readonly node: NodeId;
    }
  | { readonly type: "setSlot"; readonly slot: number; readonly to: "stable" }
  /** What follows cannot be read; said only to a master, for a replica refuses all of it. */
  | { readonly type: "setSlot"; readonly to: "unreadable"; readonly refusal: Refusal }
  | { readonly type: "failover"; readonly how: "normal" | "force" | "takeover" }
  /** A publication of our own, for the other nodes' subscribers. */
  | {
      readonly type: "publish";
      readonly shard: boolean;
      readonly channel: Uint8Array;
      readonly payload: Uint8Array;
    };

/** What the client is told: a simple string, or an error with its code. */
export type Answer = { readonly status: string } | Refusal;

export interface Refusal {
  readonly error: string;
}

export const OK: Answer = { status: "OK" };

export function refuse(text: string): Refusal {
  return { error: `ERR ${text}` };
}

/** A change that nodes.conf could not be saved with, and so was not made. */
export function unsaved(reason: string): Refusal {
  return refuse(`error saving the cluster node config: ${reason}`);
}

/** A client's word as an error quotes it: redis-server prints it as C does, up to a zero. */
export function shown(word: string | undefined): string {
  return (word ?? "").split("\0", 1)[0]!;
}

const SYNTAX: Refusal = { error: errors.SYNTAX.message };
const NOT_INTEGER: Refusal = { error: errors.NOT_INTEGER.message };
const BAD_SLOT: Refusal = refuse("Invalid or out of range slot");

const wrongArgumentCount = (subcommand: string): Refusal => ({
  error: errors.wrongArgumentCount(`cluster|${subcommand}`).message,
});
const wrongForm = (subcommand: string): Refusal => ({
  error: errors.wrongForm("CLUSTER", subcommand).message,
});

/** Subcommands whose arity the command table leaves open upwards. */
const MOST_ARGS: ReadonlyMap<string, number> = new Map([
  ["meet", 3],
  ["reset", 1],
  ["failover", 1],
]);

/**
 * Reads a changing subcommand of CLUSTER. Arity as the command table states it is checked before.
 * @param typed the subcommand in any case; one error quotes it
 * @param args what follows the subcommand
 * @returns the request; or the error to answer, as Redis words it; undefined = not a subcommand of this kind
 */
export function parseRequest(typed: string, args: readonly string[]): ClusterRequest | Refusal | undefined {
  const subcommand = typed.toLowerCase();
  if (args.length > (MOST_ARGS.get(subcommand) ?? Infinity)) return wrongForm(typed);
  switch (subcommand) {
    case "meet":
      return parseMeet(args);
    case "forget":
    case "replicate":
      return { type: subcommand, node: args[0] ?? "" };
    case "reset":
      return parseReset(args);
    case "addslots":
    case "delslots":
      return parseSlots(subcommand === "addslots" ? "addSlots" : "delSlots", args);
    case "addslotsrange":
    case "delslotsrange":
      if (args.length % 2 === 1) return wrongArgumentCount(subcommand);
      return parseRanges(subcommand === "addslotsrange" ? "addSlots" : "delSlots", args);
    case "flushslots":
      return { type: "flushSlots" };
    case "bumpepoch":
      return { type: "bumpEpoch" };
    case "saveconfig":
      return { type: "saveConfig" };
    case "set-config-epoch":
      return parseEpoch(args[0] ?? "");
    case "setslot":
      return parseSetSlot(args);
    case "failover":
      return parseFailover(args);
    default:
      return undefined;
  }
}

export function isRefusal(value: ClusterRequest | Refusal): value is Refusal {
  return !("type" in value);
}

/** A 64-bit integer as Redis reads one: no sign but a minus, no leading zeros, no blanks. */
function parseInteger(text: string): number | undefined {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value >= -(2n ** 63n) && value < 2n ** 63n ? Number(value) : undefined;
}

function parseSlot(text: string): number | undefined {
  const slot = parseInteger(text);
  return slot !== undefined && slot >= 0 && slot < SLOT_COUNT ? slot : undefined;
}

function parseMeet(args: readonly string[]): ClusterRequest | Refusal {
  const [ip = "", portText = "", busText] = args;
  const port = parseInteger(portText);
  if (port === undefined) return refuse(`Invalid TCP base port specified: ${shown(portText)}`);
  const busPort = busText === undefined ? port + BUS_OFFSET : parseInteger(busText);
  if (busPort === undefined) return refuse(`Invalid TCP bus port specified: ${shown(busText)}`);
  if (!isIpAddress(ip) || !isPort(port) || !isPort(busPort)) {
    return refuse(`Invalid node address specified: ${shown(ip)}:${shown(portText)}`);
  }
  return { type: "meet", ip, port, busPort };
}

const isPort = (port: number): boolean => port > 0 && port <= 65_535;

/** An IPv4 or IPv6 address; a host name is none, for the bus speaks of addresses only. */
function isIpAddress(text: string): boolean {
  if (!text.includes(":")) return isIpv4(text);
  const halves = text.split("::");
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [index, half] of halves.entries()) {
    if (half === "") continue;
    const parts = half.split(":");
    for (const [at, part] of parts.entries()) {
      const isLast = index === halves.length - 1 && at === parts.length - 1;
      if (isLast && part.includes(".") && isIpv4(part)) groups += 2;
      else if (/^[0-9a-f]{1,4}$/i.test(part)) groups++;
      else return false;
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
}

function parseReset(args: readonly string[]): ClusterRequest | Refusal {
  const how = args[0]?.toLowerCase() ?? "soft";
  return how === "hard" || how === "soft" ? { type: "reset", hard: how === "hard" } : SYNTAX;
}

function parseSlots(type: "addSlots" | "delSlots", args: readonly string[]): ClusterRequest | Refusal {
  const ranges: SlotRange[] = [];
  for (const text of args) {
    const slot = parseSlot(text);
    if (slot === undefined) return BAD_SLOT;
    ranges.push({ start: slot, end: slot });
  }
  return { type, ranges };
}

/** Pairs of first and last slot. One that cannot be read ends the list: what is wrong with those before comes first. */
function parseRanges(type: "addSlots" | "delSlots", args: readonly string[]): ClusterRequest {
  const ranges: SlotRange[] = [];
  for (let i = 0; i < args.length; i += 2) {
    const start = parseSlot(args[i] ?? "");
    const end = parseSlot(args[i + 1] ?? "");
    if (start === undefined || end === undefined) return { type, ranges, refusal: BAD_SLOT };
    if (start > end) {
      const refusal = refuse(`start slot number ${start} is greater than end slot number ${end}`);
      return { type, ranges, refusal };
    }
    ranges.push({ start, end });
  }
  return { type, ranges };
}

function parseEpoch(text: string): ClusterRequest | Refusal {
  const epoch = parseInteger(text);
  if (epoch === undefined) return NOT_INTEGER;
  if (epoch < 0 || epoch > EPOCH_LEAP) return refuse(`Invalid config epoch specified: ${shown(text)}`);
  return { type: "setConfigEpoch", epoch };
}

const BAD_SET_SLOT = refuse("Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP");

function parseSetSlot(args: readonly string[]): ClusterRequest {
  const slot = parseSlot(args[0] ?? "");
  if (slot === undefined) return { type: "setSlot", to: "unreadable", refusal: BAD_SLOT };
  const to = args[1]?.toLowerCase();
  const node = args[2];
  if (to === "stable" && args.length === 2) return { type: "setSlot", slot, to };
  if (
    (to === "importing" || to === "migrating" || to === "node") &&
    args.length === 3 &&
    node !== undefined
  ) {
    return { type: "setSlot", slot, to, node };
  }
  return { type: "setSlot", to: "unreadable", refusal: BAD_SET_SLOT };
}

function parseFailover(args: readonly string[]): ClusterRequest | Refusal {
  const how = args[0]?.toLowerCase() ?? "normal";
  return how === "force" || how === "takeover" || args.length === 0
    ? { type: "failover", how: how as "normal" | "force" | "takeover" }
    : SYNTAX;
}
