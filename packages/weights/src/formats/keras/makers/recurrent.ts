import * as tfl from "@tensorflow/tfjs-layers";
import { isObject } from "../../../bytes/json.ts";
import type { JsonObject } from "../../../bytes/json.ts";
import { ConvLSTM1D, ConvLSTM3D } from "../../../layers/conv-lstm.ts";
import { RecurrentStack } from "../../../layers/recurrent-stack.ts";
import { ResetAfterGRU } from "../../../layers/recurrent.ts";
import { Bidirectional, MaskedLayer, SpectralNormalization } from "../../../layers/wrappers.ts";
import { fromRegistry, inner } from "./common.ts";
import { base, numberOf } from "../layer-args.ts";
import type { Layer, Makers, Request } from "./request.ts";

/** Recurrent layers, and the wrappers around a layer. */
export const recurrentLayers: Makers = {
  GRU: ({ args, config, refuse }) => {
    if (config["reset_after"] !== true) return fromRegistry("GRU", args);
    if (config["stateful"] === true) return refuse("a GRU that keeps its state between batches is not known");
    return new ResetAfterGRU(args as never);
  },
  // Keras 2's layers for NVIDIA's library compute what these do, with weights in another order (cudnn.ts).
  CuDNNLSTM: ({ args }) => fromRegistry("LSTM", { ...args, recurrentActivation: "sigmoid" }),
  CuDNNGRU: ({ args, config, refuse }) =>
    config["stateful"] === true
      ? refuse("a CuDNNGRU that keeps its state between batches is not known")
      : new ResetAfterGRU(args as never),
  RNN: (making) => ofCell(making),
  TimeDistributed: ({ args, config, call, make, refuse }) => {
    const layer = inner(config["layer"], make, refuse);
    if (call?.kwargs["mask"] !== undefined && "returnSequences" in layer)
      refuse("a mask for the layer within is not known");
    return tfl.layers.timeDistributed({ ...base(args), layer });
  },
  Bidirectional: ({ args, config, make, refuse }) => {
    const merge = config["merge_mode"] ?? null;
    const layer = inner(zeroing(config["layer"]), make, refuse);
    // tfjs' own name of the backward layer, which it finds again in a file of its own.
    const name = `backward_${layer.name}`;
    const both = new Bidirectional({ ...base(args), layer: layer as never, mergeMode: merge as "concat" });
    if (args["trainable"] === false) both.trainable = false;
    if (config["backward_layer"] == null) return both;
    const backward = inner(zeroing(config["backward_layer"]), make, refuse);
    backward.name = name;
    return Object.assign(both, { backwardLayer: backward });
  },
  ConvLSTM1D: ({ args, config, refuse }) =>
    config["stateful"] === true
      ? refuse("a ConvLSTM1D that keeps its state between batches is not known")
      : new ConvLSTM1D(args as never),
  ConvLSTM3D: ({ args, config, refuse }) =>
    config["stateful"] === true
      ? refuse("a ConvLSTM3D that keeps its state between batches is not known")
      : new ConvLSTM3D(args as never),
  MaskedLayer: ({ args, config, make, refuse }) =>
    new MaskedLayer({
      ...base(args),
      name: base(args).name,
      layer: inner(config["layer"], make, refuse),
      zeros: config["zeros"] === true,
    }),
  RecurrentStack: ({ args, config, make, refuse }) =>
    new RecurrentStack({
      ...base(args),
      layers: [config["layers"] ?? []].flat().map((layer) => inner(layer, make, refuse)),
    }),
  SpectralNormalization: ({ args, config, make, refuse }) =>
    new SpectralNormalization({
      ...base(args),
      name: base(args).name,
      layer: inner(config["layer"], make, refuse),
      powerIterations: numberOf(config["power_iterations"], 1),
    }),
};

/** Keras' RNN of one cell is the layer of that cell; one of stacked cells is the layers of these cells in turn. */
function ofCell({ args, config, make, refuse }: Request): Layer {
  const cell = config["cell"];
  const [className, own] = isObject(cell) ? [String(cell["class_name"]), cell["config"]] : ["", {}];
  const stated = (value: unknown): JsonObject => (isObject(value) ? value : {});
  const isStack = className === "StackedRNNCells" && isObject(own) && Array.isArray(own["cells"]);
  const cells = isStack ? ((own as JsonObject)["cells"] as unknown[]).map(stated) : [stated(cell)];
  const other = cells.find((each) => !/^(LSTM|GRU|SimpleRNN)Cell$/.test(String(each["class_name"])));
  if (other !== undefined || cells.length === 0)
    return refuse(
      `only an RNN of LSTMCell, GRUCell or SimpleRNNCell is known, not of ${String(other?.["class_name"])}`,
    );
  if (isStack && (config["return_state"] === true || config["stateful"] === true))
    return refuse("an RNN of stacked cells that returns or keeps its states is not known");
  const names = ["return_sequences", "return_state", "go_backwards", "stateful"];
  const outer = Object.fromEntries(names.map((name) => [name, config[name] ?? false]));
  const trainable = args["trainable"] === false ? { trainable: false } : {};
  const made = cells.map((each, index) => {
    const isLast = index === cells.length - 1;
    const steps = {
      ...outer,
      return_sequences: !isLast || outer["return_sequences"] === true,
      go_backwards: index === 0 && outer["go_backwards"] === true,
    };
    const name = isStack ? `${String(args["name"])}.${index}` : String(args["name"]);
    const kind = String(each["class_name"]).slice(0, -"Cell".length);
    return make(kind, { ...stated(each["config"]), ...steps, ...trainable, name });
  });
  return isStack ? new RecurrentStack({ ...base(args), layers: made }) : made[0]!;
}

/** A layer inside Bidirectional, which sets `zero_output_for_mask` of it and gives zeros for masked steps itself. */
function zeroing(layer: unknown): unknown {
  if (!isObject(layer) || !isObject(layer["config"])) return layer;
  const { zero_output_for_mask: _set, ...config } = layer["config"];
  return { ...layer, config };
}
