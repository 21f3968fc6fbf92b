import { OptionError, checkOptions, shown } from "@convkit/errors";
import type { OptionNames } from "@convkit/errors";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { withNewNames } from "../block/names.ts";
import { withSeed } from "../init/initializers.ts";
import { registerLayers } from "../layers/register.ts";
import type { Fitting, OutputAfter, TypedModel } from "../typed/typed-model.ts";
import { checkEngine } from "../tfjs/engine-in-use.ts";
import { setModelMetadata } from "../metadata/metadata.ts";
import type { ImageFit } from "../metadata/metadata.ts";
import type { Preprocessing } from "../metadata/preprocessing.ts";

/** The shape of one example, without the batch; null where any size fits: `[28, 28, 1]`, `[null, null, 3]`. */
export type InputShape = readonly (number | null)[];

export interface NetworkOptions {
  /** The model's name; `"network"` by default. */
  readonly name?: string | undefined;
  /** Seed of the initial weights, which depend only on it and the layers' names; 0 by default. */
  readonly seed?: number | undefined;
  /** Names of the classes, in the order of the outputs; none by default. */
  readonly classes?: readonly string[] | undefined;
  /** How pixels from 0 to 255 become the model's input; by default they are the input. */
  readonly preprocessing?: Preprocessing | undefined;
  /** How image files are decoded to the input's size; by default they are stretched to it. */
  readonly images?: ImageFit | undefined;
}

/** One output, or a list of several. */
export type NetworkOutput = tfl.SymbolicTensor | readonly tfl.SymbolicTensor[];

const names: OptionNames<NetworkOptions> = {
  name: true,
  seed: true,
  classes: true,
  preprocessing: true,
  images: true,
};

/** What `network` hands to its body: one tensor, or those of several inputs by name. */
export type NetworkInput<Input extends InputShape | Readonly<Record<string, InputShape>>> = Input extends InputShape
  ? tfl.SymbolicTensor
  : { readonly [Name in keyof Input]: tfl.SymbolicTensor };

// The first line of the compiler's message is to tell the shapes where a block does not fit its input. It does so with one signature, since
// overloads put a line of their own first, and with the error at the input, whose type is short.
/**
 * A tfjs model with fresh weights from a block, or from a function that applies blocks one by one (Keras' functional style):
 * `network([28, 28, 1], chain([conv(8, 3, same), flatten(), dense(10)]))`. Layers without a name are named as in Keras, counted
 * from the start: `conv2d`, `conv2d_1` …. The model keeps what the options say about images and classes (`modelMetadata`).
 * A model of several inputs takes them by name: `network({ left: [32, 32, 3], right: [32, 32, 3] }, ({ left, right }) => …)`.
 * Where a block does not fit, the compiler marks the input and says what was expected.
 *
 * Throws an `OptionError` for an input that is no shape, a body that is no function or returns no symbolic tensor, and unknown options.
 */
export function network<
  const Input extends InputShape | Readonly<Record<string, InputShape>>,
  Body extends (x: NetworkInput<Input>, name: string) => NetworkOutput,
>(
  input: Input & Fitting<Body, Input>,
  body: Body,
  options?: NetworkOptions,
): Input extends InputShape ? TypedModel<Input, OutputAfter<Body, Input>> : tfl.LayersModel;
export function network(
  input: InputShape | Readonly<Record<string, InputShape>>,
  body: (x: never, name: string) => NetworkOutput,
  options: NetworkOptions = {},
): tfl.LayersModel {
  checkOptions("network", options, names);
  const { name = "network", seed = 0, ...metadata } = options;
  if (typeof name !== "string" || name === "") {
    throw new OptionError(`network: expected name to be text, got ${shown(name)}.`);
  }
  if (!Number.isInteger(seed)) {
    throw new OptionError(`network: expected seed to be a whole number, got ${shown(seed)}.`);
  }
  if (typeof body !== "function") {
    throw new OptionError(`network: expected a block such as chain([…]) or a function, got ${shown(body)}.`);
  }
  checkEngine("network");
  registerLayers();
  const model = withSeed(seed, () =>
    withNewNames(() => {
      const single = Array.isArray(input);
      const shapes = single ? { input_layer: input as InputShape } : (input as Readonly<Record<string, InputShape>>);
      const inputs = symbolicInputs(shapes);
      const x = single ? inputs["input_layer"] : inputs;
      return tfjs.model({ inputs: Object.values(inputs), outputs: checkedOutputs(body(x as never, "")), name });
    }),
  );
  const size = imageSize(input);
  return setModelMetadata(model, { ...(size === undefined ? {} : { images: { size } }), ...given(metadata) });
}

function symbolicInputs(shapes: Readonly<Record<string, InputShape>>): Record<string, tfl.SymbolicTensor> {
  const rows = typeof shapes === "object" && shapes !== null ? Object.entries(shapes) : [];
  const isLength = (size: unknown): boolean => size === null || (Number.isInteger(size) && (size as number) > 0);
  const fits = (shape: unknown): boolean => Array.isArray(shape) && shape.length > 0 && shape.every(isLength);
  if (rows.length === 0 || !rows.every(([, shape]) => fits(shape))) {
    throw new OptionError(
      `network: expected an input such as [28, 28, 1] (height, width, channels; null for any size) or several by name, got ${shown(shapes?.["input_layer"] ?? shapes)}.`,
    );
  }
  return Object.fromEntries(rows.map(([name, shape]) => [name, tfjs.input({ shape: [...shape], name })]));
}

function checkedOutputs(output: NetworkOutput): tfl.SymbolicTensor[] {
  const outputs = Array.isArray(output)
    ? [...(output as readonly tfl.SymbolicTensor[])]
    : [output as tfl.SymbolicTensor];
  if (outputs.length === 0 || !outputs.every((each) => each instanceof tfjs.SymbolicTensor)) {
    throw new OptionError(
      `network: expected the body to return the output of a layer or a list of outputs, got ${shown(output)}` +
        `${typeof output === "function" ? "; apply the layer: dense(10)(x)" : ""}.`,
    );
  }
  return outputs;
}

/** The height and width of one image input where both are known. */
function imageSize(input: unknown): [height: number, width: number] | undefined {
  if (!Array.isArray(input) || input.length !== 3) return undefined;
  const [height, width] = input as (number | null)[];
  return typeof height === "number" && typeof width === "number" ? [height, width] : undefined;
}

function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
