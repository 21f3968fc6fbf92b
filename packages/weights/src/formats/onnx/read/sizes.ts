/**
 * The size of an axis: a number, or `factor` times sizes that are known only when the model runs. Equal names mean equal
 * sizes.
 */
export type Size = number | UnknownSize;

export interface UnknownSize {
  readonly factor: number;
  /** The names of the unknown sizes, sorted. */
  readonly names: readonly string[];
}

export function unknownSize(name: string): UnknownSize {
  return { factor: 1, names: [name] };
}

export function isKnownSize(size: Size): size is number {
  return typeof size === "number";
}

export function sameSize(a: Size, b: Size): boolean {
  return sizeText(a) === sizeText(b);
}

function sizeText(size: Size): string {
  if (typeof size === "number") return String(size);
  const names = size.names.join("*");
  return size.factor === 1 ? names : `${size.factor}*${names}`;
}

export function shapeText(sizes: readonly Size[]): string {
  return `[${sizes.map(sizeText).join(", ")}]`;
}

function times(a: Size, b: Size): Size {
  const [x, y] = [split(a), split(b)];
  return joined(x.factor * y.factor, [...x.names, ...y.names].toSorted());
}

export function productOf(sizes: readonly Size[]): Size {
  return sizes.reduce(times, 1);
}

/** The quotient if it is exact; undefined if that is not known. */
export function exactly(a: Size, b: Size): Size | undefined {
  const [x, y] = [split(a), split(b)];
  const left = [...x.names];
  for (const name of y.names) {
    const at = left.indexOf(name);
    if (at === -1) return undefined;
    left.splice(at, 1);
  }
  const factor = x.factor / y.factor;
  return Number.isInteger(factor) ? joined(factor, left) : undefined;
}

/** Arithmetic whose result is known only when the model runs gets a name from its operands. */
export function computed(op: "+" | "-" | "/" | "*" | "%", a: Size, b: Size): Size {
  if (op === "*") return times(a, b);
  if (typeof a === "number" && typeof b === "number")
    return op === "+" ? a + b : op === "-" ? a - b : op === "/" ? Math.trunc(a / b) : a % b;
  if (op === "/") return exactly(a, b) ?? named(op, a, b);
  if ((op === "+" || op === "-") && b === 0) return a;
  if (op === "+" && a === 0) return b;
  if (op === "-" && sameSize(a, b)) return 0;
  return named(op, a, b);
}

function named(op: string, a: Size, b: Size): Size {
  const name = `(${sizeText(a)}${op}${sizeText(b)})`;
  // A chain of sizes must not grow without bound.
  return unknownSize(name.length > 200 ? `#${hashOf(name)}` : name);
}

function hashOf(text: string): string {
  let hash = 0n;
  for (const sign of text) hash = BigInt.asUintN(64, hash * 1_099_511_628_211n + BigInt(sign.codePointAt(0)!));
  return hash.toString(36);
}

function split(size: Size): UnknownSize {
  return typeof size === "number" ? { factor: size, names: [] } : size;
}

function joined(factor: number, names: readonly string[]): Size {
  return names.length === 0 || factor === 0 ? factor : { factor, names };
}
