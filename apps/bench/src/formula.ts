/** FNV-1a, 32 bits. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** `count` numbers in [low, high): murmur3's finaliser over the index, seeded by the name (`python/formula.py` is the same in Python). */
export function uniform(name: string, count: number, low = 0, high = 1): Float32Array {
  const seed = fnv1a(name);
  const range = high - low;
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = low + range * fraction(seed, i);
  return values;
}

function fraction(seed: number, i: number): number {
  let x = Math.imul(i + 1, 0x9e3779b1) ^ seed;
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  x ^= x >>> 16;
  return (x >>> 0) / 4294967296;
}

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  bias: [-0.05, 0.05],
  beta: [-0.05, 0.05],
  gamma: [0.9, 1.1],
  moving_mean: [-0.05, 0.05],
  moving_variance: [0.9, 1.1],
};

/** The weight of a layer in Keras' layout; kernels are uniform with variance gain / fan-in. */
export function weight(layer: string, role: string, shape: readonly number[], gain: number): Float32Array {
  const count = product(shape);
  const range = ranges[role];
  if (range) return uniform(`${layer}/${role}`, count, ...range);
  const fanIn = role === "depthwise_kernel" ? product(shape.slice(0, 2)) : product(shape.slice(0, -1));
  const limit = Math.sqrt((3 * gain) / fanIn);
  return uniform(`${layer}/${role}`, count, -limit, limit);
}

/** Images of batch `index`: `[n, h, w, c]` in [0, scale). */
export function images(index: number, shape: readonly number[], scale: number): Float32Array {
  return uniform(`images/${index}`, product(shape), 0, scale);
}

/** The labels of batch `index`: below `classes` (0 or 1 where the network has one output). */
export function labels(index: number, count: number, classes: number): Int32Array {
  const seed = fnv1a(`labels/${index}`);
  return Int32Array.from({ length: count }, (_, i) => Math.floor(fraction(seed, i) * Math.max(classes, 2)));
}

function product(shape: readonly number[]): number {
  return shape.reduce((size, n) => size * n, 1);
}
