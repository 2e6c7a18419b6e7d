// The judges' tools: redis-server, redis-cli and redis-benchmark, from Debian's packages where that can be done here.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const TOOLS = [
  ["redis-server", "redis-server"],
  ["redis-cli", "redis-tools"],
  ["redis-benchmark", "redis-tools"],
] as const;

const INSTALL_LIMIT_MS = 300_000;

/** Packages whose programs are not on PATH. */
export function missingPackages(find: (program: string) => string | null = Bun.which): string[] {
  return [...new Set(TOOLS.filter(([program]) => find(program) === null).map(([, pack]) => pack))];
}

/**
 * Sees to it that the tools are there: installs them as root on Debian or one of its kin.
 * @returns undefined, or one line on what is to be done by hand
 */
export function provideTools(): string | undefined {
  const packages = missingPackages();
  if (packages.length === 0) return undefined;
  const byHand = `the tests compare with a real Redis 7: install ${packages.join(" and ")}`;
  if (!existsSync("/usr/bin/apt-get"))
    return `${byHand} (redis-server, redis-cli and redis-benchmark must be on PATH)`;
  const command = `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  if (process.getuid?.() !== 0) return `${byHand}: sudo ${command}`;
  console.log(`installing ${packages.join(", ")} from Debian's packages`);
  for (const args of [["update", "-q"], command.split(" ").slice(1)]) {
    const done = spawnSync("apt-get", args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      timeout: INSTALL_LIMIT_MS,
    });
    // A list that could not be renewed need not keep the packages from being there.
    if (done.status !== 0 && args[0] !== "update")
      return `${byHand}; '${command}' failed:\n${done.stderr.toString()}`;
  }
  return missingPackages().length === 0 ? undefined : byHand;
}
