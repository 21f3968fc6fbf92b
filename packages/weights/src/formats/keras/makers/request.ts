import type * as tfl from "@tensorflow/tfjs-layers";
import type { JsonObject } from "../../../bytes/json.ts";
import type { BoundCall } from "../call-arguments.ts";
import type { LayerCall } from "../config.ts";

export type Layer = tfl.layers.Layer;

/** The arguments of a layer's maker: the configuration in tfjs' form, and `refuse` for options that tfjs lacks. */
export interface Request {
  readonly name: string;
  /** In tfjs' form: camelCase, activations and initializers by tfjs' names. */
  readonly args: Record<string, unknown>;
  /** The configuration as the file states it. */
  readonly config: JsonObject;
  /** Whether tfjs wrote the file, so that a layer of tfjs' is meant where Keras computes otherwise under its name. */
  readonly isTfjs: boolean;
  readonly call: (LayerCall & Partial<BoundCall>) | undefined;
  /** Makes a layer within this one, from its class and configuration in the file. */
  make(className: string, config: JsonObject): Layer;
  refuse(problem: string): never;
}

/** Makes the tfjs layer of a class. */
export type Maker = (making: Request) => Layer;

/** Makers by the names of their classes. */
export type Makers = Readonly<Record<string, Maker>>;
