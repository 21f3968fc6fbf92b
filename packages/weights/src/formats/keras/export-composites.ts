import type * as tfl from "@tensorflow/tfjs-layers";
import { variableTensor } from "../../bytes/variable-tensor.ts";
import { locallyConnected } from "./export-locally-connected.ts";
import type { Config, Export, ExportContext, KerasPart } from "./keras-part.ts";

/** A layer that another layer holds, in the form of Keras' files, and where its weights are. */
function innerLayer(
  layer: tfl.layers.Layer,
  { exportInner, refuse }: ExportContext,
): { value: object; part: KerasPart } {
  const [part, ...more] = "layers" in layer ? [] : exportInner(layer);
  if (part === undefined || more.length > 0 || part.operation !== undefined)
    return refuse(`Keras has no single layer for the ${layer.getClassName()} within it`);
  const config = { name: layer.name, ...part.config };
  return { value: { module: "keras.layers", class_name: part.className, config, registered_name: null }, part };
}

/** The paths of a layer's weights below a path. */
const below = (path: string, { inside }: KerasPart, count: number): [string, number][] =>
  (inside ?? [["", count] as const]).map(([inner, own]) => [inner === "" ? path : `${path}/${inner}`, own]);

const pick = (config: Config, keys: readonly string[]): Config =>
  Object.fromEntries(keys.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]])));

/** Keras layers that hold other layers, or whose weights are in layers within them. */
export const compositeLayers: Readonly<Record<string, Export>> = {
  TimeDistributed: (_, context, layer) => {
    const { layer: held } = layer as unknown as { layer: tfl.layers.Layer };
    const { value, part } = innerLayer(held, context);
    return [
      { className: "TimeDistributed", config: { layer: value }, inside: below("layer", part, held.weights.length) },
    ];
  },
  Bidirectional: (config, context, layer) => {
    const { forwardLayer, backwardLayer } = layer as unknown as Record<string, tfl.layers.Layer>;
    const [forward, backward] = [innerLayer(forwardLayer!, context), innerLayer(backwardLayer!, context)];
    return [
      {
        className: "Bidirectional",
        config: { layer: forward.value, backward_layer: backward.value, merge_mode: config["merge_mode"] ?? null },
        inside: [
          ...below("forward_layer", forward.part, forwardLayer!.weights.length),
          ...below("backward_layer", backward.part, backwardLayer!.weights.length),
        ],
      },
    ];
  },
  ResetAfterGRU: (config, _, layer) => [
    {
      className: "GRU",
      config: {
        ...pick(config, [
          "units",
          "activation",
          "recurrent_activation",
          "use_bias",
          "return_sequences",
          "go_backwards",
        ]),
        reset_after: true,
      },
      inside: [["cell", layer.weights.length]],
    },
  ],
  MultiHeadAttention: (config, _, layer) => {
    const each = layer.weights.length / 4;
    return [
      {
        className: "MultiHeadAttention",
        config: pick(config, ["num_heads", "key_dim", "value_dim", "use_bias"]),
        inside: ["query_dense", "key_dense", "value_dense", "output_dense"].map((path) => [path, each]),
      },
    ];
  },
  LocallyConnected2D: locallyConnected,
  RMSNormalization: (config) =>
    config["of_variance"] === true
      ? [
          {
            className: "LayerNormalization",
            config: { ...pick(config, ["axis", "epsilon"]), rms_scaling: true, center: false },
          },
        ]
      : [{ className: "RMSNormalization", config: pick(config, ["axis", "epsilon"]) }],
  BatchStatisticsNormalization: (config) => [
    {
      className: "BatchNormalization",
      config: pick(config, ["axis", "momentum", "epsilon", "center", "scale"]),
      training: true,
    },
  ],
  // Keras 3 has no batch renormalization. In prediction it is batch normalization with the same statistics.
  RenormBatchNormalization: (config, _, layer) => {
    const kept = layer.weights.filter(({ originalName }) => !/\/(moving_stddev|renorm_\w+)$/.test(originalName));
    return [
      {
        className: "BatchNormalization",
        config: pick(config, ["axis", "momentum", "epsilon", "center", "scale"]),
        weights: kept.map((variable) => variableTensor(variable.originalName.split("/").at(-1)!, variable)),
      },
    ];
  },
  // Keras' own class of its ConvNeXt, which is not among its layers.
  LayerScale: (config) => [
    {
      className: "LayerScale",
      config: pick(config, ["init_values", "projection_dim"]),
      module: "keras.src.applications.convnext",
    },
  ],
  ThresholdedReLU: ({ theta }) => [
    { className: "ReLU", config: { max_value: null, negative_slope: 0, threshold: theta ?? 1 } },
  ],
};
