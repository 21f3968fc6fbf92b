import type * as tfl from "@tensorflow/tfjs-layers";
import { variableTensor } from "../../bytes/variable-tensor.ts";
import type { MaskedLayer } from "../../layers/wrappers.ts";
import type { RecurrentStack } from "../../layers/recurrent-stack.ts";
import { axesBatchNorm } from "./export-batch-norm.ts";
import { locallyConnected } from "./export-locally-connected.ts";
import { below } from "./keras-part.ts";
import type { Config, Export, ExportContext, KerasPart } from "./keras-part.ts";

/** A layer that another layer holds, in the form of Keras' files, and where its weights are. */
function innerLayer(
  layer: tfl.layers.Layer,
  { exportInner, refuse }: ExportContext,
): { value: object; part: KerasPart } {
  if ("layers" in layer) return refuse("a model within it is not written for Keras");
  const [part, ...more] = exportInner(layer);
  if (part === undefined || more.length > 0 || part.operation !== undefined)
    return refuse(`Keras has no single layer for the ${layer.getClassName()} within it`);
  const config = { name: layer.name, ...part.config };
  return { value: { module: "keras.layers", class_name: part.className, config, registered_name: null }, part };
}

const pick = (config: Config, keys: readonly string[]): Config =>
  Object.fromEntries(keys.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]])));

/** Keras takes the word dot for a function of that name where it reads an .h5; dot is its default. */
const scoreMode = ({ score_mode: mode }: Config): Config => (mode === "dot" ? {} : { score_mode: mode });

/** The arguments of an attention layer's calls; `places` are those that the first inputs are by their place. */
function attentionCall(config: Config, places: readonly string[]): Pick<KerasPart, "roles" | "options"> {
  const roles = (config["roles"] as readonly string[] | undefined) ?? [];
  const byPlace = roles.findIndex((role, index) => role !== places[index]);
  const flags = ["use_causal_mask", "return_attention_scores"].filter((name) => config[name] === true);
  return {
    roles: roles.map((role, index) => (byPlace === -1 || index < byPlace ? undefined : role)),
    options: Object.fromEntries(flags.map((name) => [name, true])),
  };
}

/** Marks a layer whose weights an .h5 has in another order. */
const keras3Alone = { module: "keras.layers" };

/** Keras layers that hold other layers, or whose weights are in layers within them. */
export const compositeLayers: Readonly<Record<string, Export>> = {
  TimeDistributed: (_, context, layer) => {
    const { layer: held } = layer as unknown as { layer: tfl.layers.Layer };
    if ("layers" in held) {
      const { value, weights, inside } = context.exportModel(held as tfl.LayersModel);
      const paths = inside.map(([path, count]) => [`layer/${path}`, count] as const);
      return [{ className: "TimeDistributed", config: { layer: value }, weights, inside: paths, ...keras3Alone }];
    }
    const { value, part } = innerLayer(held, context);
    const inside = below("layer", part, (part.weights ?? held.weights).length);
    const own = part.weights === undefined ? {} : { weights: part.weights, ...keras3Alone };
    return [{ className: "TimeDistributed", config: { layer: value }, inside, ...own }];
  },
  // In Keras' files the wrapper has the kernel, too, before the vector of its largest singular value.
  SpectralNormalization: (config, context, layer) => {
    const { layer: held } = layer as unknown as { layer: tfl.layers.Layer };
    const { value, part } = innerLayer(held, context);
    const [kernel, vector] = [held.weights[0]!, layer.nonTrainableWeights[0]!];
    const tensors = [kernel, vector, ...held.weights].map((variable) =>
      variableTensor(variable.originalName.split("/").at(-1)!, variable),
    );
    return [
      {
        className: "SpectralNormalization",
        config: { layer: value, power_iterations: config["power_iterations"] },
        weights: tensors,
        inside: [["", 2], ...below("layer", part, held.weights.length)],
        ...keras3Alone,
      },
    ];
  },
  // The mask is the layer's last input.
  MaskedLayer: (_, context, layer) => {
    const { layer: held, zeros } = layer as MaskedLayer;
    const [part, ...more] = context.exportInner(held);
    if (part === undefined || more.length > 0 || part.operation !== undefined)
      return context.refuse(`Keras has no single layer for the ${held.getClassName()} within it`);
    const last = context.inputCount - 1;
    const bool = { module: "keras.src.ops.core", numbers: [], config: { dtype: "bool" } };
    const states = Array.from({ length: last - 1 }, () => "initial_state");
    return [
      { className: "Cast", config: {}, takes: [last], operation: bool },
      {
        ...part,
        config: { ...part.config, ...(zeros ? { zero_output_for_mask: true } : {}) },
        takes: [...Array.from({ length: last }, (_, index) => index), last + 1],
        roles: [undefined, ...states, "mask"],
        inside: part.inside ?? [["", held.weights.length]],
      },
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
          "return_state",
          "go_backwards",
          "dropout",
          "recurrent_dropout",
        ]),
        reset_after: true,
      },
      inside: [["cell", layer.weights.length]],
    },
  ],
  MultiHeadAttention: (config, context, layer) => {
    const each = layer.weights.length / 4;
    const part = attentionCall(config, ["query", "value", "key"]);
    const inside = (before: string): [string, number][] =>
      ["query", "key", "value", "output"].map((name) => [`${before}${name}_dense`, each]);
    const keys = ["use_bias", "dropout", "kernel_initializer", "bias_initializer"];
    const widths = ["num_heads", "key_dim", "value_dim", "output_shape", "attention_axes"];
    if (config["key_heads"] == null)
      return [
        { ...part, className: "MultiHeadAttention", config: pick(config, [...widths, ...keys]), inside: inside("") },
      ];
    if (["value_dim", "output_shape", "attention_axes"].some((key) => config[key] != null))
      return context.refuse("Keras' GroupQueryAttention has no value_dim, output_shape or attention_axes");
    const heads = {
      head_dim: config["key_dim"],
      num_query_heads: config["num_heads"],
      num_key_value_heads: config["key_heads"],
    };
    const own = { ...heads, ...pick(config, keys) };
    return [{ ...part, className: "GroupQueryAttention", config: own, inside: inside("_") }];
  },
  Attention: (config) => {
    const part = attentionCall(config, ["inputs", "inputs", "inputs"]);
    return config["score_mode"] === "add"
      ? [{ ...part, className: "AdditiveAttention", config: pick(config, ["use_scale", "dropout"]) }]
      : [
          {
            ...part,
            className: "Attention",
            config: { ...pick(config, ["use_scale", "dropout"]), ...scoreMode(config) },
          },
        ];
  },
  RecurrentStack: (_, context, layer) =>
    (layer as RecurrentStack).stack.flatMap((each) =>
      context.exportInner(each).map((part) => ({
        ...part,
        weights: each.weights.map((variable) => variableTensor(variable.originalName.split("/").at(-1)!, variable)),
      })),
    ),
  AxesBatchNormalization: axesBatchNorm,
  LocallyConnected1D: locallyConnected,
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
