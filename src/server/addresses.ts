// What an address says, and how it is written.

/** Whether whoever is at this address is on this machine. */
export function isLoopback(ip: string): boolean {
  return ip.startsWith("127.") || ip === "::1";
}

/** `ip:port`, an IPv6 address in brackets. */
export function formatAddress(ip: string, port: number): string {
  return `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;
}
