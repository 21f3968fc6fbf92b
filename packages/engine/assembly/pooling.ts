/** A 2-D pooling: `[batch, height, width, channels] -> [batch, outHeight, outWidth, channels]`. */
@unmanaged
class Pool {
  x: usize;
  y: usize;
  /** Gradients with respect to y (read) and x (written). */
  dy: usize;
  dx: usize;
  batch: i32;
  height: i32;
  width: i32;
  channels: i32;
  outHeight: i32;
  outWidth: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideHeight: i32;
  strideWidth: i32;
  dilationHeight: i32;
  dilationWidth: i32;
  padTop: i32;
  padLeft: i32;
}

export function poolUnits(args: usize): i32 {
  const t = changetype<Pool>(args);
  return t.batch * t.outHeight;
}

/** The first and the past-the-last tap of a window that lie inside the input. */
function firstTap(start: i32, dilation: i32): i32 {
  return start >= 0 ? 0 : (dilation - 1 - start) / dilation;
}

function lastTap(start: i32, dilation: i32, taps: i32, size: i32): i32 {
  return start >= size ? 0 : min(taps, (size - 1 - start) / dilation + 1);
}

/** y = the largest value of each window; a unit is a row of the output. */
export function maxPool(args: usize, begin: i32, end: i32): void {
  const t = changetype<Pool>(args);
  const pixel = t.channels * 4;
  // A pixel's last channels are read together with what follows them, unless the heap ends there.
  const read = <u64>t.x + <u64>t.batch * t.height * t.width * pixel + 16;
  const channels = read <= (<u64>memory.size()) << 16 ? t.channels : t.channels & ~3;
  for (let unit = begin; unit < end; unit++) {
    const top = (unit % t.outHeight) * t.strideHeight - t.padTop;
    const x = t.x + <usize>(unit / t.outHeight) * t.height * t.width * pixel;
    let y = t.y + <usize>unit * t.outWidth * pixel;
    const ky0 = firstTap(top, t.dilationHeight);
    const ky1 = lastTap(top, t.dilationHeight, t.kernelHeight, t.height);
    for (let ox = 0; ox < t.outWidth; ox++) {
      const left = ox * t.strideWidth - t.padLeft;
      const kx0 = firstTap(left, t.dilationWidth);
      const kx1 = lastTap(left, t.dilationWidth, t.kernelWidth, t.width);
      const corner = x + (top * t.width + left) * pixel;
      let c = 0;
      for (; c < channels; c += 4) {
        let best = f32x4.splat(-f32.MAX_VALUE);
        for (let ky = ky0; ky < ky1; ky++) {
          let at = corner + (ky * t.dilationHeight * t.width + kx0 * t.dilationWidth) * pixel + c * 4;
          for (let kx = kx0; kx < kx1; kx++) {
            best = f32x4.pmax(best, v128.load(at));
            at += t.dilationWidth * pixel;
          }
        }
        storeLanes(y + c * 4, best, t.channels - c);
      }
      for (; c < t.channels; c++) {
        let best: f32 = -f32.MAX_VALUE;
        for (let ky = ky0; ky < ky1; ky++) {
          for (let kx = kx0; kx < kx1; kx++) {
            const at = (ky * t.dilationHeight * t.width + kx * t.dilationWidth) * pixel + c * 4;
            const value = load<f32>(corner + at);
            if (value > best) best = value;
          }
        }
        store<f32>(y + c * 4, best);
      }
      y += pixel;
    }
  }
}

function storeLanes(at: usize, value: v128, lanes: i32): void {
  if (lanes >= 4) {
    v128.store(at, value);
    return;
  }
  v128.store32_lane(at, value, 0);
  if (lanes > 1) v128.store32_lane(at, value, 1, 4);
  if (lanes > 2) v128.store32_lane(at, value, 2, 8);
}

/** y = the mean of the values of each window that lie inside the input; a unit is a row of the output. */
export function averagePool(args: usize, begin: i32, end: i32): void {
  const t = changetype<Pool>(args);
  const pixel = t.channels * 4;
  for (let unit = begin; unit < end; unit++) {
    const top = (unit % t.outHeight) * t.strideHeight - t.padTop;
    const x = t.x + <usize>(unit / t.outHeight) * t.height * t.width * pixel;
    let y = t.y + <usize>unit * t.outWidth * pixel;
    const ky0 = firstTap(top, t.dilationHeight);
    const ky1 = lastTap(top, t.dilationHeight, t.kernelHeight, t.height);
    for (let ox = 0; ox < t.outWidth; ox++) {
      const left = ox * t.strideWidth - t.padLeft;
      const kx0 = firstTap(left, t.dilationWidth);
      const kx1 = lastTap(left, t.dilationWidth, t.kernelWidth, t.width);
      const corner = x + (top * t.width + left) * pixel;
      const count = max(1, max(0, ky1 - ky0) * max(0, kx1 - kx0));
      let c = 0;
      for (; c + 4 <= t.channels; c += 4) {
        let sum = f32x4.splat(0);
        for (let ky = ky0; ky < ky1; ky++) {
          for (let kx = kx0; kx < kx1; kx++) {
            const at = (ky * t.dilationHeight * t.width + kx * t.dilationWidth) * pixel + c * 4;
            sum = f32x4.add(sum, v128.load(corner + at));
          }
        }
        v128.store(y + c * 4, f32x4.div(sum, f32x4.splat(<f32>count)));
      }
      for (; c < t.channels; c++) {
        let sum: f32 = 0;
        for (let ky = ky0; ky < ky1; ky++) {
          for (let kx = kx0; kx < kx1; kx++) {
            const at = (ky * t.dilationHeight * t.width + kx * t.dilationWidth) * pixel + c * 4;
            sum += load<f32>(corner + at);
          }
        }
        store<f32>(y + c * 4, sum / <f32>count);
      }
      y += pixel;
    }
  }
}

export function poolGradUnits(args: usize): i32 {
  return changetype<Pool>(args).batch;
}

/** dx = dy at the first largest value of each window; a unit is an image. */
export function maxPoolGrad(args: usize, begin: i32, end: i32): void {
  const t = changetype<Pool>(args);
  const pixel = t.channels * 4;
  for (let image = begin; image < end; image++) {
    const offset = <usize>image * t.height * t.width * pixel;
    let dy = t.dy + <usize>image * t.outHeight * t.outWidth * pixel;
    memory.fill(t.dx + offset, 0, t.height * t.width * pixel);
    for (let oy = 0; oy < t.outHeight; oy++) {
      const top = oy * t.strideHeight - t.padTop;
      const ky0 = firstTap(top, t.dilationHeight);
      const ky1 = lastTap(top, t.dilationHeight, t.kernelHeight, t.height);
      for (let ox = 0; ox < t.outWidth; ox++) {
        const left = ox * t.strideWidth - t.padLeft;
        const kx0 = firstTap(left, t.dilationWidth);
        const kx1 = lastTap(left, t.dilationWidth, t.kernelWidth, t.width);
        const corner = offset + (top * t.width + left) * pixel;
        // A window that lies in the padding has no largest value.
        let c = ky0 < ky1 && kx0 < kx1 ? 0 : t.channels;
        for (; c + 4 <= t.channels; c += 4) largestFour(t, corner + c * 4, dy + c * 4, ky0, ky1, kx0, kx1);
        for (; c < t.channels; c++) largestOne(t, corner + c * 4, dy + c * 4, ky0, ky1, kx0, kx1);
        dy += pixel;
      }
    }
  }
}

function largestFour(t: Pool, corner: usize, dy: usize, ky0: i32, ky1: i32, kx0: i32, kx1: i32): void {
  const pixel = t.channels * 4;
  let best = f32x4.splat(-f32.MAX_VALUE);
  // Where nothing is larger (all of it minus infinity), the first value.
  let where = i32x4.splat((ky0 * t.dilationHeight * t.width + kx0 * t.dilationWidth) * pixel);
  for (let ky = ky0; ky < ky1; ky++) {
    for (let kx = kx0; kx < kx1; kx++) {
      const at = (ky * t.dilationHeight * t.width + kx * t.dilationWidth) * pixel;
      const value = v128.load(t.x + corner + at);
      const larger = f32x4.gt(value, best);
      best = v128.bitselect(value, best, larger);
      where = v128.bitselect(i32x4.splat(at), where, larger);
    }
  }
  add(t.dx + corner + i32x4.extract_lane(where, 0), load<f32>(dy));
  add(t.dx + corner + i32x4.extract_lane(where, 1) + 4, load<f32>(dy, 4));
  add(t.dx + corner + i32x4.extract_lane(where, 2) + 8, load<f32>(dy, 8));
  add(t.dx + corner + i32x4.extract_lane(where, 3) + 12, load<f32>(dy, 12));
}

function largestOne(t: Pool, corner: usize, dy: usize, ky0: i32, ky1: i32, kx0: i32, kx1: i32): void {
  const pixel = t.channels * 4;
  let best: f32 = -f32.MAX_VALUE;
  let where = (ky0 * t.dilationHeight * t.width + kx0 * t.dilationWidth) * pixel;
  for (let ky = ky0; ky < ky1; ky++) {
    for (let kx = kx0; kx < kx1; kx++) {
      const at = (ky * t.dilationHeight * t.width + kx * t.dilationWidth) * pixel;
      const value = load<f32>(t.x + corner + at);
      if (value > best) {
        best = value;
        where = at;
      }
    }
  }
  add(t.dx + corner + where, load<f32>(dy));
}

function add(at: usize, value: f32): void {
  store<f32>(at, load<f32>(at) + value);
}

/** dx = dy, shared evenly by the values of each window that lie inside the input; a unit is an image. */
export function averagePoolGrad(args: usize, begin: i32, end: i32): void {
  const t = changetype<Pool>(args);
  const pixel = t.channels * 4;
  for (let image = begin; image < end; image++) {
    const dx = t.dx + <usize>image * t.height * t.width * pixel;
    let dy = t.dy + <usize>image * t.outHeight * t.outWidth * pixel;
    memory.fill(dx, 0, t.height * t.width * pixel);
    for (let oy = 0; oy < t.outHeight; oy++) {
      const top = oy * t.strideHeight - t.padTop;
      const ky0 = firstTap(top, t.dilationHeight);
      const ky1 = lastTap(top, t.dilationHeight, t.kernelHeight, t.height);
      for (let ox = 0; ox < t.outWidth; ox++) {
        const left = ox * t.strideWidth - t.padLeft;
        const kx0 = firstTap(left, t.dilationWidth);
        const kx1 = lastTap(left, t.dilationWidth, t.kernelWidth, t.width);
        const share = <f32>1 / <f32>max(1, max(0, ky1 - ky0) * max(0, kx1 - kx0));
        for (let ky = ky0; ky < ky1; ky++) {
          for (let kx = kx0; kx < kx1; kx++) {
            const at = dx + ((top + ky * t.dilationHeight) * t.width + left + kx * t.dilationWidth) * pixel;
            let c = 0;
            for (; c + 4 <= t.channels; c += 4) {
              const part = f32x4.mul(v128.load(dy + c * 4), f32x4.splat(share));
              v128.store(at + c * 4, f32x4.add(v128.load(at + c * 4), part));
            }
            for (; c < t.channels; c++) add(at + c * 4, load<f32>(dy + c * 4) * share);
          }
        }
        dy += pixel;
      }
    }
  }
}
