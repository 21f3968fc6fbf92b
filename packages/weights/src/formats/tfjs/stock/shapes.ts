import { shuffledPlaces } from "@convkit/core/internal";
import { cropped, mixed, product, reshaped, row, transposed, unchanged } from "./stock-row.ts";
import type { Floats, HeldLayer, Source, StockWeight } from "./stock-row.ts";

/** Zeros before and after the channels: a 1x1 convolution by an identity matrix between zeros. */
export function paddedChannels({ config, inputs: [shape] }: HeldLayer): Source {
  const [before, from] = [Number(config["before"]), shape!.at(-1)!];
  const to = before + from + Number(config["after"]);
  const read = (): Floats => {
    const matrix = new Float32Array(from * to);
    for (let i = 0; i < from; i++) matrix[i * to + before + i] = 1;
    return matrix;
  };
  return mixed(0, from, to, read);
}

/** A convolution over single pixels that copies the channels at these places. */
function copied(from: number, places: readonly number[]): Source {
  const read = (): Floats => {
    const matrix = new Float32Array(from * places.length);
    for (const [to, place] of places.entries()) matrix[place * places.length + to] = 1;
    return matrix;
  };
  return mixed(0, from, places.length, read);
}

export function slicedChannels({ config, inputs: [shape] }: HeldLayer): Source {
  const places = Array.from({ length: Number(config["count"]) }, (_, i) => Number(config["start"]) + i);
  return copied(shape!.at(-1)!, places);
}

export function shuffledChannels({ config, inputs: [shape] }: HeldLayer): Source {
  const channels = shape!.at(-1)!;
  return copied(channels, shuffledPlaces(channels, Number(config["groups"])));
}

/** A product with a matrix along the height, and one along the width. */
function alongBoth(rows: StockWeight, columns: StockWeight, x: Source = 0): Source {
  const turned = product(transposed(x, [0, 2, 3, 1]), rows);
  return transposed(product(transposed(turned, [0, 3, 2, 1]), columns), [0, 1, 3, 2]);
}

/** `[length, size]`: the share of each pixel in each pixel of the resized image. Pixels are areas. */
function shares(length: number, size: number, interpolation: unknown): StockWeight {
  const read = (): Floats => {
    const matrix = new Float32Array(length * size);
    for (let i = 0; i < size; i++) {
      const place = ((i + 0.5) * length) / size - 0.5;
      if (interpolation === "nearest") {
        matrix[Math.min(Math.floor(place + 0.5), length - 1) * size + i] = 1;
        continue;
      }
      const [low, high] = [Math.max(Math.floor(place), 0), Math.min(Math.ceil(place), length - 1)];
      const share = Math.max(place - low, 0);
      matrix[low * size + i]! += 1 - share;
      matrix[high * size + i]! += share;
    }
    return matrix;
  };
  return { name: "kernel", shape: [length, size], read };
}

/** Resizing is linear along each axis. */
export function resizedMap({ config, inputs: [shape], output }: HeldLayer): Source | string {
  const [, height, width] = shape!;
  const [, rows, columns] = output;
  if (height == null || width == null) return "the size of its input is not known";
  if (height === rows && width === columns) return unchanged(0);
  const { interpolation } = config;
  return alongBoth(shares(height, rows!, interpolation), shares(width, columns!, interpolation));
}

export function scaledUp(held: HeldLayer): Source | string {
  const { size, interpolation } = held.config;
  if (interpolation === "nearest")
    return row("UpSampling2D", { size: [...(size as number[])], data_format: "channels_last", interpolation });
  return resizedMap(held);
}

export function croppedMiddle({ config, inputs: [shape] }: HeldLayer): Source | string {
  const sizes = [shape![1], shape![2]];
  const sides = ["height", "width"].map((name, axis) => {
    const rest = (sizes[axis] ?? NaN) - Number(config[name]);
    return [Math.floor(rest / 2), rest - Math.floor(rest / 2)] as const;
  });
  if (!sides.flat().every((size) => size >= 0)) return "its input is smaller than the crop, or of unknown size";
  const middle = cropped(0, [sides[0]!, sides[1]!]);
  return typeof middle === "number" ? unchanged(middle) : middle;
}

/** What a random crop gives in prediction: the largest window in the middle with the shape of the crop, resized to it. */
export function middleResized({ config, inputs: [shape] }: HeldLayer): Source | string {
  const [height, width] = [Number(config["height"]), Number(config["width"])];
  const [, h, w] = shape!;
  if (h == null || w == null) return "the size of its input is not known";
  const rows = Math.max(1, Math.min(h, Math.trunc((w * height) / width)));
  const columns = Math.max(1, Math.min(w, Math.trunc((h * width) / height)));
  const sides = [h - rows, w - columns].map((rest) => [Math.trunc(rest / 2), rest - Math.trunc(rest / 2)] as const);
  const middle = cropped(0, [sides[0]!, sides[1]!]);
  if (rows === height && columns === width) return typeof middle === "number" ? unchanged(middle) : middle;
  return alongBoth(shares(rows, height, "bilinear"), shares(columns, width, "bilinear"), middle);
}

/** Each input gets the new axis, and all are joined along it. */
export function stacked({ config, inputs, output }: HeldLayer): Source | string {
  const axis = Number(config["axis"]) < 0 ? Number(config["axis"]) + output.length : Number(config["axis"]);
  if (axis === 0 || output.slice(1).includes(null)) return "its axis is the batch, or a size is not known";
  const sizes = (output.slice(1) as number[]).map((size, place) => (place === axis - 1 ? 1 : size));
  return row(
    "Concatenate",
    { axis },
    inputs.map((_, index) => reshaped(index, sizes)),
  );
}

interface Slice {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number | null;
}

/** Rows and columns of a map: a crop. */
export function slicedMap({ config, inputs: [shape] }: HeldLayer): Source | string {
  const pieces = config["pieces"] as readonly (number | Slice)[];
  const isWhole = (piece: number | Slice | undefined): boolean =>
    typeof piece === "object" && piece.start === null && piece.stop === null && (piece.step ?? 1) === 1;
  if (pieces.length !== 4 || !isWhole(pieces[0]) || !isWhole(pieces[3]))
    return "it is no crop of a map's rows and columns";
  const sides = [1, 2].map((axis): readonly [number, number] => {
    const [piece, size] = [pieces[axis]!, shape![axis] ?? NaN];
    if (typeof piece === "number" || (piece.step ?? 1) !== 1) return [NaN, NaN];
    const { start, stop } = piece;
    const before = start === null ? 0 : start < 0 ? Math.max(size + start, 0) : Math.min(start, size);
    const after = stop === null ? 0 : stop < 0 ? -stop : Math.max(size - stop, 0);
    return [before, after];
  });
  if (sides.flat().some(Number.isNaN)) return "it is no crop of a map of known size";
  const made = cropped(0, [sides[0]!, sides[1]!]);
  return typeof made === "number" ? unchanged(made) : made;
}

/** Drops whole channels: the noise has one number for each. */
export function channelDropout({ config, inputs: [shape] }: HeldLayer): Source {
  const noise = shape!.map((_, axis) => (axis === 0 || axis === shape!.length - 1 ? null : 1));
  return row("Dropout", { rate: Number(config["rate"]), noise_shape: noise });
}
