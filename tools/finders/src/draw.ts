/** A seeded source of draws: the same seed gives the same cases in every run. */
export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1), by the mulberry32 generator. */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  of<T>(...choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)] as T;
  }

  flip(): boolean {
    return this.unit() < 0.5;
  }

  /** `{ [name]: value }` half of the time, nothing otherwise: an option that is left out has its default. */
  maybe<K extends string, V>(name: K, value: () => V): { [key in K]?: V } {
    return this.flip() ? ({ [name]: value() } as { [key in K]: V }) : {};
  }
}

/** `size` numbers in [-1, 1) by an integer hash of `start` and their place: Python computes the same. */
export function hashed(start: number, size: number): Float32Array {
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let h = (start + i) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
    values[i] = ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
  }
  return values;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
