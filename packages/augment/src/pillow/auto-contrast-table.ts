import * as tf from "@tensorflow/tfjs-core";

/**
 * Pillow stretches levels in float64 and drops what is behind the point: where the exact level is a whole number, the
 * float64 one may be just below it and becomes one less. This table has those cases, 16 to a number.
 */
interface AutoContrastTable {
  readonly words: Float32Array;
  /** The first bit of each spread. */
  readonly starts: Int32Array;
  /** The whole numbers of each spread: gcd(255, spread). */
  readonly counts: Int32Array;
}

const bits = 16;
let made: AutoContrastTable | undefined;

function autoContrastTable(): AutoContrastTable {
  if (made !== undefined) return made;
  const counts = Int32Array.from({ length: 256 }, (_, spread) => gcd(255, spread));
  const starts = new Int32Array(257);
  for (let spread = 1; spread < 256; spread++) starts[spread + 1] = starts[spread]! + (256 - spread) * counts[spread]!;
  const words = new Float32Array(Math.ceil(starts[256]! / bits));
  for (let spread = 1; spread < 256; spread++) {
    const count = counts[spread]!;
    const scale = 255 / spread;
    for (let low = 0; low + spread < 256; low++)
      for (let whole = 1; whole <= count; whole++) {
        const level = low + (whole * spread) / count;
        if (Math.trunc(level * scale + -low * scale) === (255 * whole) / count) continue;
        const bit = starts[spread]! + low * count + whole - 1;
        words[Math.floor(bit / bits)]! += 2 ** (bit % bits);
      }
  }
  made = { words, starts: starts.subarray(0, 256), counts };
  return made;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/**
 * Pillow's table of levels: stretches `low` to `high` (`[rows, 1]`) to 0..255, `-> [rows, 256]`. If both are equal,
 * levels stay as they are.
 */
export function autoContrastLevels(levels: tf.Tensor, low: tf.Tensor, high: tf.Tensor): tf.Tensor {
  const { words, starts, counts } = autoContrastTable();
  const spread = tf.sub(high, low);
  const above = tf.sub(levels, low);
  const product = tf.mul(above, 255);
  const stretched = tf.floor(tf.div(product, tf.maximum(spread, 1)));
  const spreads = tf.cast(spread, "int32");
  const count = tf.gather(tf.tensor1d(Float32Array.from(counts)), spreads);
  const start = tf.gather(tf.tensor1d(Float32Array.from(starts)), spreads);
  const isWithin = tf.logicalAnd(tf.greater(above, 0), tf.lessEqual(above, spread));
  const isWhole = tf.logicalAnd(isWithin, tf.equal(tf.mul(stretched, spread), product));
  const whole = tf.div(tf.mul(above, count), tf.maximum(spread, 1));
  const bit = tf.mul(tf.sub(tf.add(tf.add(start, tf.mul(low, count)), whole), 1), tf.cast(isWhole, "float32"));
  const word = tf.floor(tf.div(bit, bits));
  const shifted = tf.div(
    tf.gather(tf.tensor1d(words), tf.cast(word, "int32")),
    tf.pow(2, tf.sub(bit, tf.mul(word, bits))),
  );
  const isBelow = tf.sub(tf.floor(shifted), tf.mul(tf.floor(tf.div(shifted, 2)), 2));
  const corrected = tf.sub(stretched, tf.mul(isBelow, tf.cast(isWhole, "float32")));
  const kept = tf.add(tf.zerosLike(corrected), levels);
  return tf.where(tf.greater(tf.add(tf.zerosLike(corrected), spread), 0), tf.clipByValue(corrected, 0, 255), kept);
}
