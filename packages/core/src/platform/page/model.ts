// Like the index of tfjs-layers: `fit`, and gradients of any function, need every gradient of tfjs-core.
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import "@tensorflow/tfjs-layers/dist/flags_layers.js";
import type * as tfl from "@tensorflow/tfjs-layers";
import { Input } from "@tensorflow/tfjs-layers/dist/engine/input_layer.js";
import { LayersModel } from "@tensorflow/tfjs-layers/dist/engine/training.js";

export const input: typeof tfl.input = (config) => Input(config);
export const model: typeof tfl.model = (args) => new LayersModel(args);
