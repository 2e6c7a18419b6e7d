// Temporary directories, removed with the scope that asked for them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atExit, type Scope } from "./cleanup.ts";

export function tempDir(scope: Scope): string {
  const path = mkdtempSync(join(tmpdir(), "slotmesh-test-"));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  const forget = atExit(remove);
  scope.defer(() => {
    forget();
    remove();
  });
  return path;
}
