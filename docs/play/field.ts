import { padsOf } from "./arithmetic.ts";

/** A window of a stack, along one axis. Every layer pads as `"same"`. */
export interface StackLayer {
  readonly name: string;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
}

/** The values of one layer along one axis. Row 0 is the image. */
export interface Row {
  readonly name: string;
  readonly cells: number;
  /** Where the middle of the first value lies, in pixels of the image, and the distance to the next. */
  readonly start: number;
  readonly step: number;
}

/** Reads `3,3,p2,3s2,3d2`: windows of 3x3, a pool of 2x2, one with stride 2, one with dilation 2. */
export function parseLayers(text: string): StackLayer[] {
  return text.split(",").map((each) => {
    const [, pool, kernel, stride, dilation] = /^(p?)(\d)(?:s(\d))?(?:d(\d))?$/.exec(each.trim()) ?? [];
    if (kernel === undefined) throw new Error(`expected layers as 3,p2,3s2,3d2, got ${each}`);
    const [size, gap] = [Number(kernel), Number(dilation ?? 1)];
    const step = Number(stride ?? (pool === "p" ? size : 1));
    const details = [...(pool === "" && step > 1 ? [`stride ${step}`] : []), ...(gap > 1 ? [`dilation ${gap}`] : [])];
    const name = [`${pool === "p" ? "pool " : ""}${size}x${size}`, ...details].join(", ");
    return { name, kernel: size, stride: step, dilation: gap };
  });
}

/** Row by row, from an image of `size` pixels to the last layer. */
export function rowsOf(layers: readonly StackLayer[], size: number): Row[] {
  const rows: Row[] = [{ name: "image", cells: size, start: 0, step: 1 }];
  for (const { name, kernel, stride, dilation } of layers) {
    const before = rows.at(-1) as Row;
    const middle = ((kernel - 1) * dilation) / 2 - padBefore(before.cells, { name, kernel, stride, dilation });
    rows.push({
      name,
      cells: Math.ceil(before.cells / stride),
      start: before.start + middle * before.step,
      step: before.step * stride,
    });
  }
  return rows;
}

/**
 * For each row, the values that reach the value `position` of the last row, with the number of paths from each. Numbers below 0
 * and from `cells` on are padding.
 */
export function pathsTo(layers: readonly StackLayer[], size: number, position: number): Map<number, number>[] {
  const rows = rowsOf(layers, size);
  const paths: Map<number, number>[] = [new Map([[position, 1]])];
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = layers[i] as StackLayer;
    const pad = padBefore((rows[i] as Row).cells, layer);
    const below = new Map<number, number>();
    for (const [cell, count] of paths[0] as Map<number, number>) {
      for (let tap = 0; tap < layer.kernel; tap++) {
        const at = cell * layer.stride - pad + tap * layer.dilation;
        below.set(at, (below.get(at) ?? 0) + count);
      }
    }
    paths.unshift(below);
  }
  return paths;
}

function padBefore(cells: number, { kernel, stride, dilation }: StackLayer): number {
  return padsOf("same", [cells, cells], [kernel, kernel], [stride, stride], [dilation, dilation])[0][0];
}
