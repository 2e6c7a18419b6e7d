// What of a packet is believed at all. Whatever comes past here may be kept, and so must be something nodes.conf can hold
// and a reader of it understands: a packet that says anything else is refused, and its link closed.
import type { BusMessage } from "./message.ts";
import type { ClusterState } from "./state.ts";

/**
 * An epoch rises by one with a failover or a collision. One that is so far beyond ours was not come by that way: taking
 * it over would use up the numbers there are.
 */
export const EPOCH_LEAP = 2 ** 32;
/** The last one a number holds exactly; no node moves beyond it. */
const LAST_EPOCH = Number.MAX_SAFE_INTEGER;

/** Whether a node can still move to an epoch beyond this one. */
export const hasNextEpoch = (epoch: number): boolean => epoch < LAST_EPOCH;

/** Why a packet is not believed, if it is not. */
export function packetFlaw(state: Readonly<ClusterState>, { header, body }: BusMessage): string | undefined {
  const highest = Math.min(state.currentEpoch + EPOCH_LEAP, LAST_EPOCH);
  const epochs = [header.currentEpoch, header.configEpoch, body.type === "update" ? body.configEpoch : 0];
  const absurd = epochs.find((epoch) => epoch > highest);
  if (absurd !== undefined) return `epoch ${absurd} is far beyond ${state.currentEpoch}`;
  if (header.port === 0 || header.busPort === 0) return "its sender has no port";
  if (!isAddress(header.ip)) return "its sender's address is none";
  if ("extensions" in body && !isHostname(body.extensions.hostname ?? ""))
    return "its sender's host name is none";
  return undefined;
}

/** Characters of IPv4 and IPv6 addresses and of host names. Whatever else there is means something in nodes.conf. */
const ADDRESS = /^[0-9A-Za-z.:%_-]*$/;
/** The bus has room for so many characters of an address. */
export const ADDRESS_LENGTH = 45;
const HOSTNAME = /^[0-9A-Za-z._-]{0,255}$/;

export const hasAddressCharacters = (text: string): boolean => ADDRESS.test(text);

/** Whether nodes.conf, and the bus, can hold this text where an address or a host name stands. */
export const isAddress = (text: string): boolean => text.length <= ADDRESS_LENGTH && ADDRESS.test(text);
const isHostname = (text: string): boolean => HOSTNAME.test(text);
