/** Whether elements with these strides lie in row-major order without gaps. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Strides of elements in column-major order, as Fortran and NumPy's `order="F"` have it. */
export function columnMajor(shape: readonly number[]): number[] {
  let stride = 1;
  return shape.map((size) => {
    const own = stride;
    stride *= size;
    return own;
  });
}

/** Copies elements of `size` bytes from places given by strides (in elements) into row-major order. */
export function gatherBytes(
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array<ArrayBuffer> {
  // Elements of 8 and 16 bytes are rows of 4-byte words.
  const word = Math.min(size, 4);
  const words = size / word;
  const axes = words === 1 ? shape : [...shape, words];
  const steps = words === 1 ? strides : [...strides.map((stride) => stride * words), 1];
  const aligned = bytes.byteOffset % word === 0 ? bytes : new Uint8Array(bytes);
  const source = wordsOf(aligned, word);
  const out = new Uint8Array(axes.reduce((product, side) => product * side, word));
  const target = wordsOf(out, word);
  const index = axes.map(() => 0);
  let at = 0;
  for (let i = 0; i < target.length; i++) {
    target[i] = source[at]!;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      at += steps[axis]!;
      if (++index[axis]! < axes[axis]!) break;
      at -= steps[axis]! * axes[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

function wordsOf(bytes: Uint8Array<ArrayBuffer>, word: number): Uint8Array | Uint16Array | Uint32Array {
  const kind = word === 1 ? Uint8Array : word === 2 ? Uint16Array : Uint32Array;
  return new kind(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / word));
}
