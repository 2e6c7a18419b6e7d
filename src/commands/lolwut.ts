// LOLWUT's picture: a mesh of slots, each knot drawn after the CRC16-like walk of its own number, so that every call
// weaves another cloth and the same moment weaves the same one.

const WIDTH = 48;
const HEIGHT = 12;
const WEAVES = ["/\\", "+x", "<>", "|-", "o."] as const;

/**
 * @param seed any number, the time for instance
 * @param version which thread to weave with; versions beyond the last begin anew
 */
export function drawMesh(seed: number, version: number): string {
  const weave = WEAVES[Math.abs(version) % WEAVES.length] ?? WEAVES[0];
  let state = (seed % 65536) | 1;
  const lines: string[] = [];
  for (let y = 0; y < HEIGHT; y++) {
    let line = "";
    for (let x = 0; x < WIDTH; x++) {
      state = (state << 1) ^ ((state & 0x8000) === 0 ? 0 : 0x11021);
      line += weave[(state >> 7) & 1];
    }
    lines.push(line);
  }
  return lines.join("\n");
}
