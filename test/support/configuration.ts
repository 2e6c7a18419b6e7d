// Configurations without a disk: started from texts, changed, and the reasons of those that are refused.
import { expect } from "bun:test";
import type { Config } from "../../src/server/config/config.ts";
import { configure } from "../../src/server/config/start.ts";

export function start(args: string[], files: Record<string, string> = {}, stdin = ""): Config {
  return configure(args, {
    absolute: (path) => `/base/${path}`,
    expand: () => Object.keys(files).filter((path) => path.startsWith("conf.d/")),
    readStandardInput: () => stdin,
    read(path) {
      const content = files[path];
      if (content === undefined) throw new Error("No such file or directory");
      return content;
    },
  });
}

export const fromFile = (content: string, ...args: string[]): Config =>
  start(["c.conf", ...args], { "c.conf": content });

export function failure(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("nothing was refused");
}

export function refused(config: Config, ...pairs: [string, string][]): [string, string | undefined] {
  const why = config.set(pairs);
  if (why === undefined) throw new Error("nothing was refused");
  return [why.argument, why.reason];
}

export function accept(config: Config, pairs: [string, string][]): void {
  expect(config.set(pairs)).toBeUndefined();
}

export const ADDRESS_FAULT =
  "Addresses may only contain alphanumeric characters, hyphens, underscores, dots, colons or percent signs";
