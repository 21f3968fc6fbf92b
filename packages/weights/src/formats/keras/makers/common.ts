import { KerasOnlyAugmentation } from "@convkit/augment";
import * as tf from "@tensorflow/tfjs-core";
import { isObject } from "../../../bytes/json.ts";
import { ownClass } from "../../../layers/register.ts";
import { Operation } from "../../../operations/operation.ts";
import { operationTable } from "../../../operations/table.ts";
import { base } from "../layer-args.ts";
import type { Layer, Request } from "./request.ts";

/** A layer of a class that tfjs knows, from its configuration. */
export function fromRegistry(className: string, args: Record<string, unknown>): Layer {
  const Own = ownClass(className);
  if (Own !== undefined) return new Own(args as never);
  const [cls, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className] as unknown as [
    unknown,
    (cls: unknown, config: unknown) => Layer,
  ];
  return fromConfig(cls, args);
}

/** A layer that predicts as in Keras and throws in training. */
export function kerasOnly(className: string, { args, config }: Request): Layer {
  const { name: _, trainable: __, dtype: ___, ...own } = config;
  return new KerasOnlyAugmentation({ ...base(args), kerasClass: className, kerasConfig: own });
}

/** A layer without weights that runs an operation of the table, with some of the layer's options. */
export function operation(
  { args, config }: Request,
  op: string,
  keys: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Layer {
  const own = Object.fromEntries(keys.flatMap((key) => (config[key] == null ? [] : [[key, config[key]]])));
  const [first] = operationTable[op]![0].split(" ") as [string];
  return new Operation({ ...base(args), op, values: { [first]: { slot: 0 }, ...own, ...more } });
}

/** Makes the layer inside a wrapper layer. */
export function inner(value: unknown, make: Request["make"], refuse: Request["refuse"]): Layer {
  if (!isObject(value) || typeof value["class_name"] !== "string" || !isObject(value["config"]))
    return refuse("expected a layer with class_name and config within it");
  return make(value["class_name"], value["config"]);
}
