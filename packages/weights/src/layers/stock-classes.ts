import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";

/** The class of a layer, as tfjs registers it. */
interface NamedClass {
  readonly className: string;
}

/** Arguments with which each function of `tfl.layers` makes a layer: the first that fit are taken. */
function sampleArguments(): readonly object[] {
  const sizes = { units: 1, filters: 1, inputDim: 1, outputDim: 1, targetShape: [1], dims: [1], n: 1, numTokens: 1 };
  const numbers = { rate: 0.5, stddev: 0.5, scale: 1, offset: 0, height: 1, width: 1, factor: 0.1, axes: -1 };
  const plain = { name: "sample", ...sizes, ...numbers };
  const window = (axes: number) => {
    const ones = Array.from({ length: axes }, () => 1);
    return { ...plain, kernelSize: ones, poolSize: ones, strides: ones };
  };
  return [
    { ...plain, kernelSize: 1, poolSize: 1, strides: 1 },
    { ...window(2), size: [1, 1] },
    window(3),
    { name: "sample", padding: [0, 0] },
    {
      name: "sample",
      cropping: [
        [0, 0],
        [0, 0],
      ],
    },
    { name: "sample", layer: tfl.layers.simpleRNN({ name: "sample", units: 1 }) },
    { name: "sample", cell: tfl.layers.simpleRNNCell({ name: "sample", units: 1 }) },
  ];
}

function stockLayer(make: (args: never) => unknown, samples: readonly object[]): tfl.layers.Layer | undefined {
  for (const args of samples) {
    try {
      const made = make(args as never);
      if (made instanceof tfl.layers.Layer) return made;
    } catch {
      // These arguments are for other layers.
    }
  }
  return undefined;
}

let known: ReadonlySet<unknown> | undefined;

/**
 * The layer classes of tfjs itself. They are taken from its functions, since another class may be registered under one of
 * their names, before this package is loaded or after.
 */
export function stockClasses(): ReadonlySet<unknown> {
  known ??= findStockClasses();
  return known;
}

function findStockClasses(): ReadonlySet<unknown> {
  const samples = sampleArguments();
  // `Layer`, `RNN` and `RNNCell` are classes to extend, `input` makes no layer, and `inputLayer` stands below.
  const makers = Object.entries(tfl.layers).filter(([name]) => /^[a-z]/.test(name) && !name.startsWith("input"));
  const layers = makers.flatMap(([, make]) => stockLayer(make as (args: never) => unknown, samples) ?? []);
  const sequential = tfl.sequential({ name: "sample" });
  const input = tfl.layers.inputLayer({ name: "sample", inputShape: [1] });
  // tfjs does not export `Functional`, the class of models that are read from Keras' files.
  const functional = tf.serialization.SerializationMap.getMap().classNameMap["Functional"]?.[0];
  const others = [sequential.constructor, input.constructor, tfl.LayersModel, functional];
  return new Set([...layers.map((layer) => layer.constructor), ...others]);
}

/** Whether tfjs itself has a layer of this name. */
export function isStockName(className: string): boolean {
  return [...stockClasses()].some((each) => (each as NamedClass).className === className);
}
