import type { Floats, HeldLayer, Source, StockWeight } from "./stock-row.ts";
import { added, perChannel, product, rescaled, reshaped, row, transposed } from "./stock-row.ts";

const floats = (weight: StockWeight): Floats => weight.read() as Floats;

/** Keras' own guard against a variance of zero. */
const deviation = (variance: number): number => Math.max(Math.sqrt(variance), 1e-7);

/** A factor and an offset for each channel, from the mean and the variance; `inverted` undoes the normalization. */
function fromStatistics({ inputs: [shape], weight }: HeldLayer, inverted: boolean): Source {
  const [mean, variance] = [weight("mean")!, weight("variance")!];
  const factor = (): Floats => floats(variance).map((value) => (inverted ? deviation(value) : 1 / deviation(value)));
  const offset = (): Floats => {
    const [means, deviations] = [floats(mean), floats(variance).map(deviation)];
    return means.map((value, i) => (inverted ? value : -value / deviations[i]!));
  };
  return perChannel(0, shape!.length, shape!.at(-1)!, factor, offset);
}

export const normalization = (held: HeldLayer): Source => fromStatistics(held, false);

/** Keras' Normalization over the last axis, or with one mean for all. */
export function axesNormalization(held: HeldLayer): Source | string {
  const {
    config,
    inputs: [shape],
    weight,
  } = held;
  const [axes, inverted] = [config["axis"] as readonly number[], config["invert"] === true];
  if (axes.length === 0) {
    const [mean, width] = [floats(weight("mean")!)[0]!, deviation(floats(weight("variance")!)[0]!)];
    return inverted ? rescaled(0, width, mean) : rescaled(0, 1 / width, -mean / width);
  }
  const last = shape!.length - 1;
  if (axes.length > 1 || (axes[0] !== -1 && axes[0] !== last)) return "its axis is not the last";
  return fromStatistics(held, inverted);
}

/** Batch normalization between two transpositions that make its axis the last. */
export function batchNormOverAxis({ config, fileConfig, inputs: [shape], layer }: HeldLayer): Source {
  const rank = shape!.length;
  const axis = Number(config["axis"]) < 0 ? Number(config["axis"]) + rank : Number(config["axis"]);
  const order = [...shape!.keys()].filter((other) => other !== axis);
  const back = [...shape!.keys()].map((place) => (place === axis ? rank - 1 : place > axis ? place - 1 : place));
  const { name: _, ...rest } = fileConfig;
  const made = row("BatchNormalization", { ...rest, axis: -1 }, [transposed(0, [...order, axis])], weightsOf(layer));
  return transposed(made, back);
}

function weightsOf(layer: HeldLayer["layer"]): StockWeight[] {
  return layer.weights.map((variable) => ({
    name: variable.originalName.split("/").at(-1)!,
    shape: variable.shape as number[],
    read: () => variable.read().dataSync() as Floats,
  }));
}

/**
 * Each group as one row, which a layer normalization without weights normalizes; then the factor and offset of each
 * channel.
 */
export function groupNorm({ config, inputs: [shape], weight }: HeldLayer): Source | string {
  const sizes = shape!.slice(1);
  if (sizes.includes(null)) return "the size of its input is not known";
  const channels = sizes.at(-1)!;
  const [groups, pixels] = [
    Number(config["groups"]),
    sizes.slice(0, -1).reduce<number>((product, size) => product * size!, 1),
  ];
  const own = channels / groups;
  const plain = { axis: [-1], epsilon: Number(config["epsilon"]), center: false, scale: false };
  const rows = reshaped(transposed(reshaped(0, [pixels, groups, own]), [0, 2, 1, 3]), [groups, pixels * own]);
  const normalized = reshaped(row("LayerNormalization", plain, [rows]), [groups, pixels, own]);
  const map = reshaped(transposed(normalized, [0, 2, 1, 3]), sizes as number[]);
  const [gamma, beta] = [weight("gamma"), weight("beta")];
  if (gamma === undefined && beta === undefined) return map;
  const ones = (): Floats => new Float32Array(channels).fill(1);
  const factor = (): Floats => (gamma === undefined ? ones() : floats(gamma));
  return perChannel(map, shape!.length, channels, factor, beta === undefined ? undefined : () => floats(beta));
}

export function layerScale({ inputs: [shape], weight }: HeldLayer): Source {
  return perChannel(0, shape!.length, shape!.at(-1)!, () => floats(weight("gamma")!));
}

/**
 * The mean of `x` and `-x` is 0 and their variance the mean square of `x`, so a layer normalization of both divides by the
 * root mean square.
 */
export function rootMeanSquareNorm({ config, inputs: [shape], weight }: HeldLayer): Source | string {
  const last = shape!.length - 1;
  const axes = config["axis"] as readonly number[];
  if (config["ofVariance"] === true) return "no stock layer divides by a deviation without subtracting the mean";
  if (axes.length > 1 || (axes[0] !== -1 && axes[0] !== last)) return "its axis is not the last";
  const channels = shape!.at(-1)!;
  const both = row("Concatenate", { axis: -1 }, [0, rescaled(0, -1)]);
  const plain = { axis: [-1], epsilon: Number(config["epsilon"]), center: false, scale: false };
  const read = (): Floats => {
    const matrix = new Float32Array(2 * channels * channels);
    for (const [i, value] of floats(weight("scale")!).entries()) matrix[i * channels + i] = value;
    return matrix;
  };
  return product(row("LayerNormalization", plain, [both]), { name: "kernel", shape: [2 * channels, channels], read });
}

/** `x + scale * y`. */
export const scaledSum = ({ config }: HeldLayer): Source => added(0, rescaled(1, Number(config["scale"])));
