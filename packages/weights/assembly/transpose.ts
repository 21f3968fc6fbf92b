// Turns matrices of 32-bit elements, whatever they mean.

/** Writes the columns of `rows` by `columns` elements at `from` as rows at `to`; the strides are the bytes from row to row. */
export function transpose(from: usize, stride: i32, rows: i32, columns: i32, to: usize, toStride: i32): void {
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    let at = from + <usize>row * stride;
    let out = to + ((<usize>row) << 2);
    let column = 0;
    for (; column + 4 <= columns; column += 4) {
      const a = v128.load(at);
      const b = v128.load(at + stride);
      const c = v128.load(at + 2 * stride);
      const d = v128.load(at + 3 * stride);
      const lowLeft = i32x4.shuffle(a, b, 0, 4, 1, 5);
      const lowRight = i32x4.shuffle(c, d, 0, 4, 1, 5);
      const highLeft = i32x4.shuffle(a, b, 2, 6, 3, 7);
      const highRight = i32x4.shuffle(c, d, 2, 6, 3, 7);
      v128.store(out, i32x4.shuffle(lowLeft, lowRight, 0, 1, 4, 5));
      v128.store(out + toStride, i32x4.shuffle(lowLeft, lowRight, 2, 3, 6, 7));
      v128.store(out + 2 * toStride, i32x4.shuffle(highLeft, highRight, 0, 1, 4, 5));
      v128.store(out + 3 * toStride, i32x4.shuffle(highLeft, highRight, 2, 3, 6, 7));
      at += 16;
      out += 4 * toStride;
    }
    for (; column < columns; column++) {
      for (let k = 0; k < 4; k++) store<i32>(out + (k << 2), load<i32>(at + k * stride));
      at += 4;
      out += toStride;
    }
  }
  for (; row < rows; row++) {
    const at = from + <usize>row * stride;
    const out = to + ((<usize>row) << 2);
    for (let column = 0; column < columns; column++) store<i32>(out + column * toStride, load<i32>(at + (column << 2)));
  }
}
