import type { HeldLayer, Source, StockRow } from "./stock-row.ts";
import { activated, added, clippedReLU, multiplied, rescaled, row, transposed, unchanged } from "./stock-row.ts";

const relu = (x: Source): StockRow => activated(x, "relu");
export const minus = (a: Source, b: Source): StockRow => added(a, rescaled(b, -1));
/** A number in the shape of `x`. */
const constant = (x: Source, value: number): StockRow => rescaled(x, 0, value);
export const atLeast = (x: Source, low: number): StockRow => row("Maximum", {}, [x, constant(x, low)]);
export const atMost = (x: Source, high: number): StockRow => row("Minimum", {}, [x, constant(x, high)]);
const above = (x: Source, theta: number): StockRow => row("ThresholdedReLU", { theta }, [x]);
const hardSigmoid = (x: Source): StockRow => rescaled(clippedReLU(rescaled(x, 1, 3), 6), 1 / 6);
const sparseSigmoid = (x: Source): StockRow => rescaled(clippedReLU(rescaled(x, 1, 1), 2), 0.5);

/** Activations that stock tfjs lacks, by our names, from layers that it has. */
export const stockActivations: Readonly<Record<string, (x: Source) => StockRow>> = {
  leakyRelu: (x) => row("LeakyReLU", { alpha: 0.2 }, [x]),
  // The tanh approximation of GELU. tfjs has it, but cannot load its name: a file's gelu_new becomes geluNew.
  gelu_new: (x) => {
    const inner = rescaled(added(x, rescaled(multiplied(x, x, x), 0.044715)), Math.sqrt(2 / Math.PI));
    return multiplied(x, rescaled(activated(inner, "tanh"), 0.5, 0.5));
  },
  hardSigmoidOfThree: hardSigmoid,
  hardShrink: (x) => minus(above(x, 0.5), above(rescaled(x, -1), 0.5)),
  hardSwish: (x) => multiplied(x, hardSigmoid(x)),
  celu: (x) => activated(x, "elu"),
  hardTanh: (x) => atMost(atLeast(x, -1), 1),
  logSigmoid: (x) => rescaled(activated(rescaled(x, -1), "softplus"), -1),
  softShrink: (x) => minus(relu(rescaled(x, 1, -0.5)), relu(rescaled(x, -1, -0.5))),
  sparsePlus: (x) => added(multiplied(sparseSigmoid(x), sparseSigmoid(x)), relu(rescaled(x, 1, -1))),
  sparseSigmoid: (x) => sparseSigmoid(x),
  tanhShrink: (x) => minus(x, activated(x, "tanh")),
};

/** `x` where it is positive, `alpha (exp(x) - 1)` elsewhere. */
export function scaledELU({ config }: HeldLayer): Source {
  const positive = relu(0);
  return added(positive, rescaled(minus(activated(0, "elu"), positive), Number(config["alpha"])));
}

export function bentReLU({ config }: HeldLayer): Source | string {
  const { maxValue, negativeSlope, threshold } = config as {
    readonly maxValue: number | null;
    readonly negativeSlope: number;
    readonly threshold: number;
  };
  if (threshold !== 0) return "it has a threshold";
  const positive = maxValue === null ? relu(0) : clippedReLU(0, maxValue);
  return negativeSlope === 0 ? positive : added(positive, rescaled(relu(rescaled(0, -1)), -negativeSlope));
}

export function clipped({ config }: HeldLayer): Source {
  const { low, high } = config as { readonly low: number | null; readonly high: number | null };
  const raised = low === null ? unchanged(0) : atLeast(0, low);
  return high === null ? raised : atMost(raised, high);
}

/** A whole power from 1 on is a product. */
export function power({ config }: HeldLayer): Source | string {
  const exponent = Number(config["exponent"]);
  if (!Number.isInteger(exponent) || exponent < 1 || exponent > 8) return "no stock layer raises to this power";
  return exponent === 1 ? unchanged(0) : multiplied(...Array.from({ length: exponent }, () => 0));
}

/** The axis becomes the last one, and goes back. */
export function softmaxOver({ config, inputs: [shape] }: HeldLayer): Source | string {
  const [rank, axes] = [shape!.length, config["axis"] as readonly number[]];
  if (axes.length !== 1) return "it has more than one axis";
  const axis = axes[0]! < 0 ? axes[0]! + rank : axes[0]!;
  if (axis === 0) return "its axis is the batch";
  const order = [...shape!.keys()].filter((other) => other !== axis);
  const back = [...shape!.keys()].map((place) => (place === axis ? rank - 1 : place > axis ? place - 1 : place));
  return transposed(activated(transposed(0, [...order, axis]), "softmax"), back);
}

export const difference = (): Source => minus(0, 1);
