// Doubles read and printed by the engine, against exact arithmetic on big integers and the host's own conversions.
import { expect, test } from "bun:test";
import { compileParts } from "../../support/parts.ts";
import { seeded, type Random } from "../../support/random.ts";

const parts = compileParts("double", "doubletext");
const AT = 65536 * 20;
const view = new DataView(new ArrayBuffer(8));

function parse(text: string, name = "parseDouble"): number | undefined {
  const bytes = parts.bytes;
  for (let i = 0; i < text.length; i++) bytes[AT + i] = text.charCodeAt(i);
  bytes[AT + text.length] = 55; // what follows in memory is not part of the number
  return parts.call(name, AT, text.length) === 0 ? undefined : parts.global("parsedDouble");
}

function render(value: number): string {
  const length = parts.call("renderDouble", value, AT);
  return Buffer.from(parts.memory.buffer, AT, length).toString("latin1");
}

const fromBits = (bits: bigint): number => {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
};

/** %.17g by its definition: the exact value as a fraction of big integers, divided out. */
function reference(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  if (value < 0) return `-${reference(-value)}`;
  if (value === Infinity) return "inf";
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n);
  const fraction = bits & ((1n << 52n) - 1n);
  const exponent = (biased === 0 ? 1 : biased) - 1075;
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n);
  const above = mantissa << BigInt(Math.max(exponent, 0));
  const below = 1n << BigInt(Math.max(-exponent, 0));
  let first = Math.floor(Math.log10(value)) - 2; // too low, even where the logarithm is off
  let digits: bigint;
  do {
    first++;
    const power = BigInt(16 - first);
    const a = power > 0n ? above * 10n ** power : above;
    const b = power < 0n ? below * 10n ** -power : below;
    digits = a / b;
    const rest = (a % b) * 2n;
    if (rest > b || (rest === b && digits % 2n === 1n)) digits++;
  } while (digits >= 10n ** 17n);
  const text = String(digits).replace(/0+$/, "");
  if (first < -4 || first >= 17) {
    const power = String(Math.abs(first)).padStart(2, "0");
    return `${text[0]}${text.length > 1 ? "." : ""}${text.slice(1)}e${first < 0 ? "-" : "+"}${power}`;
  }
  if (first < 0) return `0.${"0".repeat(-first - 1)}${text}`;
  if (text.length <= first + 1) return text.padEnd(first + 1, "0");
  return `${text.slice(0, first + 1)}.${text.slice(first + 1)}`;
}

/** Doubles of every size, with those that people write and those beside which rounding is hard. */
function double(random: Random): number {
  const bits = (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
  const any = (): number => {
    const value = fromBits(bits);
    return Number.isFinite(value) ? value : 1;
  };
  return random.weighted<number>([
    [3, any],
    [3, () => (random.unit() - 0.5) * 10 ** random.between(-12, 20)],
    [2, () => random.between(-1_000_000, 1_000_000) / 10 ** random.between(0, 8)],
    [1, () => Math.round((random.unit() - 0.5) * 2 ** random.between(1, 70))],
    [1, () => 2 ** random.between(-1074, 1023)],
    [1, () => 10 ** random.between(-320, 308)],
    [1, () => fromBits(bits & 0x800fffffffffffffn)],
    [1, () => fromBits((bits & 0xffn) + 0x7fefffffffffff00n)],
  ]);
}

test("a double prints as %.17g prints it, and reads back as itself", () =>
  seeded((random) => {
    for (let i = 0; i < 300_000; i++) {
      const value = double(random);
      const text = render(value);
      const read = parse(text);
      if (i < 100_000 && text !== reference(value)) expect(text).toBe(reference(value));
      if (!Number.isFinite(value)) continue;
      if (!Object.is(read, value)) throw new Error(`${value} printed ${text} read ${read}`);
    }
  }));

test("decimals of any length read as the nearest double", () =>
  seeded((random) => {
    const digits = (count: number): string =>
      Array.from({ length: count }, () => (random.chance(0.3) ? 0 : random.below(10))).join("");
    for (let i = 0; i < 300_000; i++) {
      const whole = digits(random.pick([0, 1, 1, 3, 10, 18, 25, random.below(60)]));
      const part = digits(random.pick([0, 1, 2, 9, 17, random.below(50)]));
      if (whole + part === "") continue;
      const exponent = random.weighted([
        [3, () => ""],
        [2, () => `e${random.between(-40, 40)}`],
        [1, () => `E+${random.between(0, 330)}`],
        [1, () => `e-${random.between(0, 360)}`],
      ]);
      const text = `${random.pick(["", "-", "+"])}${whole}${part === "" ? "" : `.${part}`}${exponent}`;
      const value = Number(text);
      const isOutOfRange = !Number.isFinite(value) || (value === 0 && /[1-9]/.test(whole + part));
      const read = parse(text);
      if (!Object.is(read, isOutOfRange ? undefined : value)) throw new Error(`${text} read ${read}`);
      if (isOutOfRange && !Object.is(parse(text, "parseBound"), value)) throw new Error(`bound ${text}`);
    }
  }));

test("numbers half-way between two doubles go to the even one, and by one digit far behind to the other", () =>
  seeded((random) => {
    for (let i = 0; i < 3000; i++) {
      const value = Math.abs(double(random));
      view.setFloat64(0, value);
      const bits = view.getBigUint64(0);
      const next = fromBits(bits + 1n);
      if (value === 0 || !Number.isFinite(next)) continue;
      const half = exactHalf(value, next);
      const even = bits % 2n === 0n ? value : next;
      if (parse(half) !== even) throw new Error(`${half} read ${parse(half)}, not ${even}`);
      const zeros = "0".repeat(random.pick([0, 10, 800]));
      const above = half.replace("e", `${zeros}1e`);
      if (parse(above) !== next) throw new Error(`${above} read ${parse(above)}, not ${next}`);
    }
  }));

/** All digits of the number between two neighbours, as digits.e-power. */
function exactHalf(low: number, high: number): string {
  const scaled = (value: number): bigint => {
    view.setFloat64(0, value);
    const bits = view.getBigUint64(0);
    const biased = bits >> 52n;
    const fraction = bits & ((1n << 52n) - 1n);
    return biased === 0n ? fraction * 2n : (fraction | (1n << 52n)) << biased; // times 2^1075
  };
  const sum = scaled(low) + scaled(high); // twice the half, times 2^1075
  return `${sum * 5n ** 1076n}.e-1076`;
}

test("what is a number and what is none", () => {
  const numbers: Record<string, number> = {
    inf: Infinity, "-INF": -Infinity, "+Infinity": Infinity, iNfInItY: Infinity, "0x10": 16, "-0X.8p1": -1, "0x1.8": 1.5,
    "0x1.fffffffffffff8p0": 2, "0x1.fffffffffffff7ffffffffp0": 1.9999999999999998, "0x1p-1074": 5e-324, "0x0p99999": 0,
    ".5": 0.5, "5.": 5, "5.e1": 50, "+5": 5, "-0": -0, "0e99999999999": 0, "1e0000000000000000000005": 1e5,
    "0.0000000000000000000000000000000001e34": 1, "00000000000000000000000000001.5": 1.5, "0x00000000000000000000001": 1,
    "0x123456789abcdef01234p-16": Number(0x123456789abcdef01234n) / 65536,
  }; // prettier-ignore
  for (const [text, value] of Object.entries(numbers)) expect([text, parse(text)]).toEqual([text, value]);
  for (const text of [
    "", " ", " 1", "1 ", "1\0", ".", "-", "+", "+.", "e5", ".e5", "1e", "1e+", "1ee5", "1.2.3", "0x", "0x.", "0xg", "0x1p",
    "nan", "-nan", "nan(1)", "in", "infi", "infinit", "infinityy", "1e400", "-1e400", "1e-400", "0x1p1024", "0x1p-1076",
    "1e99999999999", "1e-99999999999", "1,5", "--1", "abc", "1_000",
  ]) expect([text, parse(text)]).toEqual([text, undefined]); // prettier-ignore
});

test("the end of a range is read as strtod reads it", () => {
  const bounds: Record<string, number | undefined> = {
    "": 0, " 5": 5, "\t\n5": 5, "5\0x": 5, "\0": 0, "1e400": Infinity, "-1e400": -Infinity, "1e-400": 0,
    " ": undefined, "5 ": undefined, x: undefined, nan: undefined,
  }; // prettier-ignore
  for (const [text, value] of Object.entries(bounds))
    expect([text, parse(text, "parseBound")]).toEqual([text, value]);
});
