import { isObject } from "../../bytes/json.ts";
import { boundCall } from "./call-arguments.ts";
import { isModel } from "./config.ts";
import type { LayerConfig } from "./config.ts";
import { takesMask } from "./import-layer.ts";
import type { Making } from "./import-layer.ts";

/** The layers that stand for one layer of the file, in their order: its activation, its penalty, and moves of its axes among them. */
export function parts(layer: LayerConfig, options: Making): readonly LayerConfig[] {
  const { hasMasks } = options;
  if (layer.stages !== undefined)
    return layer.stages.flatMap((stage, index, { length }) => {
      const name = index === length - 1 ? layer.name : `${layer.name}.${index + 1}`;
      return parts({ ...stage, name, config: { ...stage.config, name } }, options);
    });
  const own = layer.follower === undefined ? [layer] : [layer, layer.follower];
  const penalty = activityPenalty(layer);
  if (penalty !== undefined) own.push(penalty);
  if (isModel(layer.className) || layer.isForeign || layer.isOurs) return own;
  const { config, className, name } = layer;
  const asksZeros = config["zero_output_for_mask"] === true && config["return_sequences"] === true;
  const [call] = layer.calls;
  const isGiven = call !== undefined && takesMask(boundCall(className, call));
  if (hasMasks && asksZeros && !isGiven) own.splice(1, 0, zeroed(layer));
  if (config["data_format"] === "channels_first") {
    const after = own.slice(1);
    // A softmax is over the last axis of the layer's own output, whichever that is.
    const isOverLast = config["activation"] === "softmax" || config["activation"] === "log_softmax";
    if (isOverLast) after.unshift(activationAfter(layer));
    const activation = isOverLast ? { activation: "linear" } : {};
    // The kernel of a locally connected layer has the order of the file's axes.
    const format = className.startsWith("LocallyConnected") ? "channels_first" : "channels_last";
    const last = { ...layer, config: { ...config, ...activation, data_format: format } };
    const gathers = className === "Flatten" || (className.startsWith("Global") && config["keepdims"] !== true);
    const back = moved(layer, `${name}.channels_first`, -1, 1);
    return [moved(layer, `${name}.channels_last`, 1, -1), last, ...(gathers ? [] : [back]), ...after];
  }
  const axis = config["axis"];
  if (className === "GroupNormalization" && typeof axis === "number" && axis !== -1) {
    const last = { ...layer, config: { ...config, axis: -1 } };
    return [moved(layer, `${name}.last`, axis, -1), last, moved(layer, `${name}.back`, -1, axis)];
  }
  return own;
}

/** Keras' penalty on a layer's output as a layer of its own, since tfjs refuses layers that have one. */
function activityPenalty({ config, name, place, isForeign, isOurs }: LayerConfig): LayerConfig | undefined {
  const stated = config["activity_regularizer"];
  if (isForeign || isOurs || !isObject(stated) || !isObject(stated["config"])) return undefined;
  const { l1 = 0, l2 = 0 } = stated["config"];
  const own = { name: `${name}.penalty`, l1, l2 };
  const className = /^L(1|2|1L2)$/.test(String(stated["class_name"]))
    ? "ActivityRegularization"
    : "activity_regularizer";
  return {
    name: own.name,
    className,
    module: "keras.layers",
    isForeign: false,
    isOurs: false,
    isShared: false,
    config: own,
    calls: [],
    place,
  };
}

/** A layer's activation as a layer of its own. */
function activationAfter({ name, config, module, isForeign, isOurs, isShared, place }: LayerConfig): LayerConfig {
  const own = { name: `${name}.activation`, activation: config["activation"], dtype: config["dtype"] };
  const rest = { module, isForeign, isOurs, isShared, place };
  return { ...rest, name: own.name, className: "Activation", config: own, calls: [] };
}

/** The layer that gives zeros for the masked steps of a recurrent layer. */
function zeroed(layer: LayerConfig): LayerConfig {
  const name = `${layer.name}.zeros`;
  const { follower: _, ...rest } = layer;
  return { ...rest, name, className: "MaskedZeros", isOurs: true, config: { name }, calls: [] };
}

/** The configuration of a layer that moves one axis to another position. */
function moved(layer: LayerConfig, name: string, source: number, destination: number): LayerConfig {
  const values = { x: { slot: 0 }, source, destination };
  const { follower: _, ...rest } = layer;
  return { ...rest, name, className: "Operation", isOurs: true, config: { name, op: "moveaxis", values }, calls: [] };
}
