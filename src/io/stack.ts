// Where an error was thrown. The runtime writes `unknown` for each function of a WebAssembly module, though it knows
// their names: it tells them to whoever prepares the text of the stack, which happens when that is read first.

const MODULE_FRAME = /^\.?wasm-function\[(.*)\]/;

/** One line for each call, the innermost first. */
export function framesOf(error: Error): readonly string[] {
  const usual = Error.prepareStackTrace;
  Error.prepareStackTrace = (_, sites) => sites.map(String).join("\n");
  try {
    const text = error.stack ?? "";
    // Read before by somebody else, it is as the runtime writes it: what was thrown, then each call behind an `at`.
    const lines = text.split("\n").map((line) => line.trim());
    const calls = lines.filter((line) => line.startsWith("at "));
    const frames = calls.length > 0 ? calls.map((line) => line.slice(3)) : lines;
    return frames.map((frame) => MODULE_FRAME.exec(frame)?.[1] ?? frame);
  } finally {
    Error.prepareStackTrace = usual;
  }
}
