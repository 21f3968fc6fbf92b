// AssemblyScript has no type imports.
// oxlint-disable-next-line typescript/consistent-type-imports
import { GEMM_SCRATCH, multiply, Product, product } from "./gemm";
import { setWord } from "./simd";

/** Pixels of one unit of work: enough to pay for packing the weights, few enough to share among threads. */
const PIXELS: i32 = 192;
/** Slices of the batch whose filter gradients are summed apart, so that a result does not depend on the threads. */
const SLICES: i32 = 8;
/** A filter up to this many bytes is summed in slices of the batch; a larger one is split by its rows. */
const SLICED_BYTES: i32 = 1 << 17;

/** A 2-D convolution: `[batch, height, width, channels] -> [batch, outHeight, outWidth, filters]`. */
@unmanaged
class Conv {
  x: usize;
  filter: usize;
  y: usize;
  batch: i32;
  height: i32;
  width: i32;
  channels: i32;
  outHeight: i32;
  outWidth: i32;
  filters: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideHeight: i32;
  strideWidth: i32;
  dilationHeight: i32;
  dilationWidth: i32;
  padTop: i32;
  padLeft: i32;
  bias: usize;
  activation: i32;
  /** Filter gradient: room for `SLICES` sums, or 0. */
  partials: usize;
}

function ceilDiv(a: i32, b: i32): i32 {
  return (a + b - 1) / b;
}

/** Output rows, over all images, of one unit. */
function rowsPerUnit(t: Conv): i32 {
  return min(ceilDiv(PIXELS, t.outWidth), t.batch * t.outHeight);
}

function needsPadding(t: Conv): bool {
  return (
    t.padTop > 0 ||
    t.padLeft > 0 ||
    (t.outHeight - 1) * t.strideHeight + (t.kernelHeight - 1) * t.dilationHeight + 1 > t.height ||
    (t.outWidth - 1) * t.strideWidth + (t.kernelWidth - 1) * t.dilationWidth + 1 > t.width
  );
}

function paddedWidth(t: Conv): i32 {
  return (t.outWidth - 1) * t.strideWidth + (t.kernelWidth - 1) * t.dilationWidth + 1;
}

function tapCount(t: Conv): i32 {
  return t.dilationWidth == 1 ? t.kernelHeight : t.kernelHeight * t.kernelWidth;
}

/** Scratch for the patches of `rows` output rows: taps, places and, where there is padding, padded input rows. */
function patchBytes(t: Conv, rows: i32): i32 {
  const tables = 4 * (tapCount(t) + rows * t.outWidth);
  if (!needsPadding(t)) return tables;
  const reach = (t.kernelHeight - 1) * t.dilationHeight + 1;
  const images = rows / t.outHeight + 2;
  return tables + (rows * t.strideHeight + images * reach) * paddedWidth(t) * t.channels * 4;
}

/** Describes the patches of output rows `begin` to `end` (counted over all images) as the matrix P of a product. */
function patches(t: Conv, p: Product, begin: i32, end: i32, scratch: usize): void {
  const padded = needsPadding(t);
  const rowBytes = (padded ? paddedWidth(t) : t.width) * t.channels * 4;
  const taps = tapCount(t);
  p.taps = scratch;
  p.places = scratch + taps * 4;
  if (t.dilationWidth == 1) {
    p.segment = t.kernelWidth * t.channels;
    for (let ky = 0; ky < taps; ky++) setWord(p.taps, ky, ky * t.dilationHeight * rowBytes);
  } else {
    p.segment = t.channels;
    for (let i = 0; i < taps; i++) {
      const ky = i / t.kernelWidth;
      const kx = i % t.kernelWidth;
      setWord(p.taps, i, ky * t.dilationHeight * rowBytes + kx * t.dilationWidth * t.channels * 4);
    }
  }
  const step = t.strideWidth * t.channels * 4;
  const reach = (t.kernelHeight - 1) * t.dilationHeight + 1;
  let buffer = p.places + (end - begin) * t.outWidth * 4;
  let place = 0;
  let row = begin;
  while (row < end) {
    const image = row / t.outHeight;
    const first = row - image * t.outHeight;
    const count = min(t.outHeight - first, end - row);
    const top = first * t.strideHeight - t.padTop;
    let base = t.x + (<usize>image * t.height + (padded ? 0 : top)) * t.width * t.channels * 4;
    if (padded) {
      const rows = (count - 1) * t.strideHeight + reach;
      padRows(t, base, top, rows, buffer);
      base = buffer;
      buffer += rows * rowBytes;
    }
    for (let i = 0; i < count; i++) {
      let at = base + i * t.strideHeight * rowBytes;
      for (let j = 0; j < t.outWidth; j++) {
        setWord(p.places, place++, <i32>at);
        at += step;
      }
    }
    row += count;
  }
}

/** Copies input rows `top` to `top + rows` of one image with zeros around them. */
function padRows(t: Conv, image: usize, top: i32, rows: i32, out: usize): void {
  const pixel = t.channels * 4;
  const width = paddedWidth(t);
  const left = min(t.padLeft, width);
  const inner = max(0, min(t.width, width - left));
  const right = width - left - inner;
  for (let i = top; i < top + rows; i++) {
    if (i < 0 || i >= t.height) {
      memory.fill(out, 0, width * pixel);
    } else {
      memory.fill(out, 0, left * pixel);
      memory.copy(out + left * pixel, image + i * t.width * pixel, inner * pixel);
      memory.fill(out + (left + inner) * pixel, 0, right * pixel);
    }
    out += width * pixel;
  }
}

export function convUnits(args: usize): i32 {
  const t = changetype<Conv>(args);
  return ceilDiv(t.batch * t.outHeight, rowsPerUnit(t));
}

export function convScratch(args: usize): i32 {
  const t = changetype<Conv>(args);
  return GEMM_SCRATCH + patchBytes(t, rowsPerUnit(t));
}

/** y = x * filter + bias, activated. */
export function conv(args: usize, begin: i32, end: i32, scratch: usize): void {
  const t = changetype<Conv>(args);
  const step = rowsPerUnit(t);
  for (let unit = begin; unit < end; unit++) {
    const first = unit * step;
    const last = min(first + step, t.batch * t.outHeight);
    const p = product(scratch);
    patches(t, p, first, last, scratch + GEMM_SCRATCH);
    p.rows = (last - first) * t.outWidth;
    p.columns = t.filters;
    p.depth = t.kernelHeight * t.kernelWidth * t.channels;
    p.b = t.filter;
    p.ldb = t.filters * 4;
    p.c = t.y + <usize>first * t.outWidth * t.filters * 4;
    p.ldc = t.filters * 4;
    p.bias = t.bias;
    p.activation = t.activation;
    multiply(p);
  }
}

function filterRows(t: Conv): i32 {
  return t.kernelHeight * t.kernelWidth * t.channels;
}

/** Rows of the filter that one unit computes, when it is split by rows. */
function filterRowsPerUnit(t: Conv): i32 {
  return max(48, ceilDiv(ceilDiv(filterRows(t), 32), 6) * 6);
}

/** Bytes for the sums of the slices; 0 where the filter is split by rows. */
export function convFilterPartials(args: usize): i32 {
  const t = changetype<Conv>(args);
  const bytes = filterRows(t) * t.filters * 4;
  return bytes <= SLICED_BYTES ? bytes * SLICES : 0;
}

export function convFilterUnits(args: usize): i32 {
  const t = changetype<Conv>(args);
  return convFilterPartials(args) > 0 ? SLICES : ceilDiv(filterRows(t), filterRowsPerUnit(t));
}

/** Output rows whose patches are summed in one product. */
function filterDepthRows(t: Conv): i32 {
  return min(ceilDiv(512, t.outWidth), t.batch * t.outHeight);
}

export function convFilterScratch(args: usize): i32 {
  const t = changetype<Conv>(args);
  return GEMM_SCRATCH + patchBytes(t, filterDepthRows(t));
}

/** filter = gradient with respect to it, of `y`, the gradient with respect to the output. */
export function convFilter(args: usize, begin: i32, end: i32, scratch: usize): void {
  const t = changetype<Conv>(args);
  const total = t.batch * t.outHeight;
  for (let unit = begin; unit < end; unit++) {
    if (t.partials != 0) {
      const bytes = filterRows(t) * t.filters * 4;
      const slice = ceilDiv(total, SLICES);
      const out = t.partials + unit * bytes;
      filterProduct(t, scratch, 0, filterRows(t), min(unit * slice, total), min((unit + 1) * slice, total), out);
    } else {
      const step = filterRowsPerUnit(t);
      const first = unit * step;
      const rows = min(step, filterRows(t) - first);
      filterProduct(t, scratch, first, rows, 0, total, t.filter + <usize>first * t.filters * 4);
    }
  }
}

function filterProduct(t: Conv, scratch: usize, firstRow: i32, rows: i32, begin: i32, end: i32, out: usize): void {
  const step = filterDepthRows(t);
  if (begin >= end) memory.fill(out, 0, rows * t.filters * 4);
  for (let row = begin; row < end; row += step) {
    const last = min(row + step, end);
    const p = product(scratch);
    patches(t, p, row, last, scratch + GEMM_SCRATCH);
    p.turned = 1;
    p.firstRow = firstRow;
    p.rows = rows;
    p.columns = t.filters;
    p.depth = (last - row) * t.outWidth;
    p.b = t.y + <usize>row * t.outWidth * t.filters * 4;
    p.ldb = t.filters * 4;
    p.c = out;
    p.ldc = t.filters * 4;
    p.accumulate = row > begin ? 1 : 0;
    multiply(p);
  }
}

/** Adds up the slices' sums, in their order. */
export function convFilterSum(args: usize): void {
  const t = changetype<Conv>(args);
  const count = filterRows(t) * t.filters;
  for (let i = 0; i < count; i++) {
    let sum: f32 = 0;
    for (let slice = 0; slice < SLICES; slice++) sum += load<f32>(t.partials + (slice * count + i) * 4);
    store<f32>(t.filter + i * 4, sum);
  }
}

function imagesPerUnit(t: Conv): i32 {
  return min(t.batch, ceilDiv(PIXELS * t.strideHeight * t.strideWidth, t.height * t.width));
}

/** Rows of zeros above the gradient, so that every tap of every input row finds one. */
function inputPadTop(t: Conv): i32 {
  return ceilDiv(t.kernelHeight, t.strideHeight);
}

function inputPadLeft(t: Conv): i32 {
  return ceilDiv(t.kernelWidth, t.strideWidth);
}

function inputPaddedHeight(t: Conv): i32 {
  return inputPadTop(t) + max(t.outHeight, (t.height + t.padTop) / t.strideHeight + 1);
}

function inputPaddedWidth(t: Conv): i32 {
  return inputPadLeft(t) + max(t.outWidth, (t.width + t.padLeft) / t.strideWidth + 1);
}

export function convInputUnits(args: usize): i32 {
  const t = changetype<Conv>(args);
  return ceilDiv(t.batch, imagesPerUnit(t));
}

export function convInputScratch(args: usize): i32 {
  const t = changetype<Conv>(args);
  const images = imagesPerUnit(t);
  const places = images * ceilDiv(t.height, t.strideHeight) * ceilDiv(t.width, t.strideWidth);
  const pieces = t.kernelHeight * t.kernelWidth + t.kernelHeight;
  const padded = images * inputPaddedHeight(t) * inputPaddedWidth(t) * t.filters;
  return GEMM_SCRATCH + 4 * (2 * places + pieces + padded);
}

/**
 * x = gradient with respect to it. Input pixels that share a remainder by the stride see the same taps, so each such phase
 * is a dense convolution of the padded gradient: no zeros are multiplied.
 */
export function convInput(args: usize, begin: i32, end: i32, scratch: usize): void {
  const t = changetype<Conv>(args);
  const step = imagesPerUnit(t);
  const above = inputPadTop(t);
  const before = inputPadLeft(t);
  const height = inputPaddedHeight(t);
  const width = inputPaddedWidth(t);
  const pixel = t.filters * 4;
  const buffer = scratch + GEMM_SCRATCH;
  for (let unit = begin; unit < end; unit++) {
    const first = unit * step;
    const images = min(step, t.batch - first);
    memory.fill(buffer, 0, images * height * width * pixel);
    for (let i = 0; i < images; i++) {
      for (let row = 0; row < t.outHeight; row++) {
        memory.copy(
          buffer + ((i * height + above + row) * width + before) * pixel,
          t.y + (<usize>(first + i) * t.outHeight + row) * t.outWidth * pixel,
          t.outWidth * pixel,
        );
      }
    }
    const tables = buffer + images * height * width * pixel;
    for (let py = 0; py < min(t.strideHeight, t.height); py++) {
      for (let px = 0; px < min(t.strideWidth, t.width); px++) {
        inputPhase(t, py, px, first, images, buffer, tables, scratch);
      }
    }
  }
}

function inputPhase(
  t: Conv,
  py: i32,
  px: i32,
  first: i32,
  images: i32,
  buffer: usize,
  tables: usize,
  scratch: usize,
): void {
  const height = inputPaddedHeight(t);
  const width = inputPaddedWidth(t);
  const pixel = t.filters * 4;
  const firstKy = (py + t.padTop) % t.strideHeight;
  const firstKx = (px + t.padLeft) % t.strideWidth;
  const tapsY = firstKy < t.kernelHeight ? ceilDiv(t.kernelHeight - firstKy, t.strideHeight) : 0;
  const tapsX = firstKx < t.kernelWidth ? ceilDiv(t.kernelWidth - firstKx, t.strideWidth) : 0;
  const p = product(scratch);
  // The taps run backwards over the kernel, so that they run forwards over the gradient.
  const pieces = tables;
  for (let i = 0; i < tapsY; i++) {
    const ky = firstKy + (tapsY - 1 - i) * t.strideHeight;
    for (let j = 0; j < tapsX; j++) {
      const kx = firstKx + (tapsX - 1 - j) * t.strideWidth;
      setWord(pieces, i * tapsX + j, <i32>(t.filter + <usize>(ky * t.kernelWidth + kx) * t.channels * pixel));
    }
  }
  p.pieces = pieces;
  p.piece = t.filters;
  p.ldb = pixel;
  p.taps = pieces + tapsY * tapsX * 4;
  for (let i = 0; i < tapsY; i++) setWord(p.taps, i, i * width * pixel);
  p.segment = max(1, tapsX * t.filters);
  const rows = ceilDiv(t.height - py, t.strideHeight);
  const columns = ceilDiv(t.width - px, t.strideWidth);
  p.places = p.taps + tapsY * 4;
  p.targets = p.places + images * rows * columns * 4;
  const top = inputPadTop(t) + (py + t.padTop) / t.strideHeight - (tapsY - 1);
  const left = inputPadLeft(t) + (px + t.padLeft) / t.strideWidth - (tapsX - 1);
  let place = 0;
  for (let i = 0; i < images; i++) {
    for (let row = 0; row < rows; row++) {
      const from = buffer + ((i * height + top + row) * width + left) * pixel;
      const y = py + row * t.strideHeight;
      const to = t.x + ((<usize>(first + i) * t.height + y) * t.width + px) * t.channels * 4;
      for (let column = 0; column < columns; column++) {
        setWord(p.places, place, <i32>(from + column * pixel));
        setWord(p.targets, place, <i32>(to + column * t.strideWidth * t.channels * 4));
        place++;
      }
    }
  }
  p.rows = place;
  p.columns = t.channels;
  p.depth = tapsY * tapsX * t.filters;
  multiply(p);
}
