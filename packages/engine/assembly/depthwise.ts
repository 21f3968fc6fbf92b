import { fma } from "./simd";

/** Slices of the batch whose filter gradients are summed apart, so that a result does not depend on the threads. */
const SLICES: i32 = 8;

/** A depthwise convolution: `[batch, height, width, channels] -> [batch, outHeight, outWidth, channels * multiplier]`. */
@unmanaged
class Depthwise {
  x: usize;
  filter: usize;
  y: usize;
  batch: i32;
  height: i32;
  width: i32;
  channels: i32;
  outHeight: i32;
  outWidth: i32;
  multiplier: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideHeight: i32;
  strideWidth: i32;
  dilationHeight: i32;
  dilationWidth: i32;
  padTop: i32;
  padLeft: i32;
  bias: usize;
  /** 0 none, 1 relu, 2 relu6. */
  activation: i32;
  /** Filter gradient: room for `SLICES` sums. */
  partials: usize;
}

export function depthwiseUnits(args: usize): i32 {
  const t = changetype<Depthwise>(args);
  return t.batch * t.outHeight;
}

/** y = x * filter + bias, activated; a unit is a row of the output. */
export function depthwise(args: usize, begin: i32, end: i32): void {
  const t = changetype<Depthwise>(args);
  const outputs = t.channels * t.multiplier;
  for (let unit = begin; unit < end; unit++) {
    const image = unit / t.outHeight;
    const top = (unit % t.outHeight) * t.strideHeight - t.padTop;
    const x = t.x + <usize>image * t.height * t.width * t.channels * 4;
    let y = t.y + <usize>unit * t.outWidth * outputs * 4;
    for (let ox = 0; ox < t.outWidth; ox++) {
      const left = ox * t.strideWidth - t.padLeft;
      if (t.multiplier == 1) outputPixel(t, x, y, top, left);
      else outputPixelMany(t, x, y, top, left);
      y += outputs * 4;
    }
  }
}

function outputPixel(t: Depthwise, x: usize, y: usize, top: i32, left: i32): void {
  let c = 0;
  for (; c + 4 <= t.channels; c += 4) {
    let sum = t.bias != 0 ? v128.load(t.bias + c * 4) : f32x4.splat(0);
    for (let ky = 0; ky < t.kernelHeight; ky++) {
      const iy = top + ky * t.dilationHeight;
      if (<u32>iy >= <u32>t.height) continue;
      for (let kx = 0; kx < t.kernelWidth; kx++) {
        const ix = left + kx * t.dilationWidth;
        if (<u32>ix >= <u32>t.width) continue;
        const value = v128.load(x + ((iy * t.width + ix) * t.channels + c) * 4);
        sum = fma(value, v128.load(t.filter + ((ky * t.kernelWidth + kx) * t.channels + c) * 4), sum);
      }
    }
    if (t.activation > 0) sum = f32x4.max(sum, f32x4.splat(0));
    if (t.activation > 1) sum = f32x4.min(sum, f32x4.splat(6));
    v128.store(y + c * 4, sum);
  }
  for (; c < t.channels; c++) outputValue(t, x, y, top, left, c, 0);
}

function outputPixelMany(t: Depthwise, x: usize, y: usize, top: i32, left: i32): void {
  for (let c = 0; c < t.channels; c++) {
    for (let q = 0; q < t.multiplier; q++) outputValue(t, x, y, top, left, c, q);
  }
}

function outputValue(t: Depthwise, x: usize, y: usize, top: i32, left: i32, c: i32, q: i32): void {
  const output = c * t.multiplier + q;
  let sum: f32 = t.bias != 0 ? load<f32>(t.bias + output * 4) : 0;
  for (let ky = 0; ky < t.kernelHeight; ky++) {
    const iy = top + ky * t.dilationHeight;
    if (<u32>iy >= <u32>t.height) continue;
    for (let kx = 0; kx < t.kernelWidth; kx++) {
      const ix = left + kx * t.dilationWidth;
      if (<u32>ix >= <u32>t.width) continue;
      const weight = load<f32>(t.filter + (((ky * t.kernelWidth + kx) * t.channels + c) * t.multiplier + q) * 4);
      sum += load<f32>(x + ((iy * t.width + ix) * t.channels + c) * 4) * weight;
    }
  }
  if (t.activation > 0) sum = max<f32>(sum, 0);
  if (t.activation > 1) sum = min<f32>(sum, 6);
  store<f32>(y + output * 4, sum);
}

export function depthwiseInputUnits(args: usize): i32 {
  const t = changetype<Depthwise>(args);
  return t.batch * t.height;
}

/** x = gradient with respect to it, of `y`; a unit is a row of the input. */
export function depthwiseInput(args: usize, begin: i32, end: i32): void {
  const t = changetype<Depthwise>(args);
  for (let unit = begin; unit < end; unit++) {
    const image = unit / t.height;
    const bottom = (unit % t.height) + t.padTop;
    const y = t.y + <usize>image * t.outHeight * t.outWidth * t.channels * t.multiplier * 4;
    let x = t.x + <usize>unit * t.width * t.channels * 4;
    for (let ix = 0; ix < t.width; ix++) {
      inputPixel(t, x, y, bottom, ix + t.padLeft);
      x += t.channels * 4;
    }
  }
}

function inputPixel(t: Depthwise, x: usize, y: usize, bottom: i32, right: i32): void {
  memory.fill(x, 0, t.channels * 4);
  for (let ky = 0; ky < t.kernelHeight; ky++) {
    const down = bottom - ky * t.dilationHeight;
    const oy = down / t.strideHeight;
    if (down < 0 || oy >= t.outHeight || oy * t.strideHeight != down) continue;
    for (let kx = 0; kx < t.kernelWidth; kx++) {
      const across = right - kx * t.dilationWidth;
      const ox = across / t.strideWidth;
      if (across < 0 || ox >= t.outWidth || ox * t.strideWidth != across) continue;
      const from = y + (oy * t.outWidth + ox) * t.channels * t.multiplier * 4;
      const weights = t.filter + (ky * t.kernelWidth + kx) * t.channels * t.multiplier * 4;
      let c = 0;
      if (t.multiplier == 1) {
        for (; c + 4 <= t.channels; c += 4) {
          const at = x + c * 4;
          v128.store(at, fma(v128.load(from + c * 4), v128.load(weights + c * 4), v128.load(at)));
        }
      }
      for (; c < t.channels; c++) {
        let sum = load<f32>(x + c * 4);
        for (let q = c * t.multiplier; q < (c + 1) * t.multiplier; q++) {
          sum += load<f32>(from + q * 4) * load<f32>(weights + q * 4);
        }
        store<f32>(x + c * 4, sum);
      }
    }
  }
}

export function depthwiseFilterPartials(args: usize): i32 {
  const t = changetype<Depthwise>(args);
  return SLICES * t.kernelHeight * t.kernelWidth * t.channels * t.multiplier * 4;
}

export function depthwiseFilterUnits(): i32 {
  return SLICES;
}

/** partials = the slices' gradients with respect to the filter, of `y`. */
export function depthwiseFilter(args: usize, begin: i32, end: i32): void {
  const t = changetype<Depthwise>(args);
  const bytes = depthwiseFilterPartials(args) / SLICES;
  const total = t.batch * t.outHeight;
  const slice = (total + SLICES - 1) / SLICES;
  for (let unit = begin; unit < end; unit++) {
    const out = t.partials + unit * bytes;
    memory.fill(out, 0, bytes);
    const last = min((unit + 1) * slice, total);
    for (let row = unit * slice; row < last; row++) {
      const top = (row % t.outHeight) * t.strideHeight - t.padTop;
      for (let ky = 0; ky < t.kernelHeight; ky++) {
        const iy = top + ky * t.dilationHeight;
        if (<u32>iy >= <u32>t.height) continue;
        const x = t.x + (<usize>(row / t.outHeight) * t.height + iy) * t.width * t.channels * 4;
        const y = t.y + <usize>row * t.outWidth * t.channels * t.multiplier * 4;
        for (let kx = 0; kx < t.kernelWidth; kx++) {
          const at = out + (ky * t.kernelWidth + kx) * t.channels * t.multiplier * 4;
          filterRow(t, x, y, kx * t.dilationWidth - t.padLeft, at);
        }
      }
    }
  }
}

/** Adds what one row of pixels gives to one tap. */
function filterRow(t: Depthwise, x: usize, y: usize, shift: i32, out: usize): void {
  let first = 0;
  while (first < t.outWidth && first * t.strideWidth + shift < 0) first++;
  let last = t.outWidth;
  while (last > first && (last - 1) * t.strideWidth + shift >= t.width) last--;
  const stepX = t.strideWidth * t.channels * 4;
  const stepY = t.channels * t.multiplier * 4;
  const startX = x + (first * t.strideWidth + shift) * t.channels * 4;
  const startY = y + first * stepY;
  let c = 0;
  if (t.multiplier == 1) {
    for (; c + 4 <= t.channels; c += 4) {
      let sum = v128.load(out + c * 4);
      let from = startX + c * 4;
      let by = startY + c * 4;
      for (let i = first; i < last; i++) {
        sum = fma(v128.load(from), v128.load(by), sum);
        from += stepX;
        by += stepY;
      }
      v128.store(out + c * 4, sum);
    }
  }
  for (; c < t.channels; c++) {
    for (let q = c * t.multiplier; q < (c + 1) * t.multiplier; q++) {
      let sum = load<f32>(out + q * 4);
      let from = startX + c * 4;
      let by = startY + q * 4;
      for (let i = first; i < last; i++) {
        sum += load<f32>(from) * load<f32>(by);
        from += stepX;
        by += stepY;
      }
      store<f32>(out + q * 4, sum);
    }
  }
}

/** filter = the sum of the slices, in their order. */
export function depthwiseFilterSum(args: usize): void {
  const t = changetype<Depthwise>(args);
  const count = t.kernelHeight * t.kernelWidth * t.channels * t.multiplier;
  for (let i = 0; i < count; i++) {
    let sum: f32 = 0;
    for (let slice = 0; slice < SLICES; slice++) sum += load<f32>(t.partials + (slice * count + i) * 4);
    store<f32>(t.filter + i * 4, sum);
  }
}
