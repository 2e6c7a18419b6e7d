// Waiting for a condition instead of for a length of time.

const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;

/**
 * Asks again and again until `condition` gives something other than false, undefined or an exception.
 * @returns what the condition gave
 * @throws after `timeoutMs`, with the last exception the condition threw, if it threw
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  timeoutMs: number,
  what = condition.toString(),
): Promise<Exclude<T, false | undefined>> {
  const endAtMs = performance.now() + timeoutMs;
  let pauseMs = FIRST_PAUSE_MS;
  let lastError: unknown;
  for (;;) {
    try {
      const result = await condition();
      if (result !== false && result !== undefined) return result as Exclude<T, false | undefined>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= endAtMs) break;
    await Bun.sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
  }
  const reason = lastError instanceof Error ? `; the last attempt failed: ${lastError.message}` : "";
  throw new Error(`not so within ${timeoutMs} ms: ${what}${reason}`, { cause: lastError });
}
