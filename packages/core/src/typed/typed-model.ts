import type * as tfl from "@tensorflow/tfjs-layers";
import type { Shape, ShapeAfter, ShapeError } from "./shape-change.ts";

declare const shapes: unique symbol;

/** A tfjs model that knows the shapes of one example of its input and output in its type. */
export interface TypedModel<Input extends Shape, Output extends Shape> extends tfl.LayersModel {
  /** For the compiler alone: missing when the program runs. */
  readonly [shapes]?: { readonly input: Input; readonly output: Output };
}

/** The shape of one example of a model's input: `[28, 28, 1]` for `createModel("lenet5")`; `number` where it is not known. */
export type InputOf<Model> = Model extends TypedModel<infer Input, Shape> ? Input : Shape;

/** The shape of one example of a model's output: `[10]` for `createModel("lenet5")`; `number` where it is not known. */
export type OutputOf<Model> = Model extends TypedModel<Shape, infer Output> ? Output : Shape;

/** The output's shape of a body; any shape where it is wrong or not known. */
export type OutputAfter<Body, Input extends Shape> =
  ShapeAfter<Body, Input> extends infer Output ? (Output extends Shape ? Output : Shape) : Shape;

/** Nothing where the body fits the input, and else the error's text, a type that no input has. */
export type Fitting<Body, Input> = Input extends Shape
  ? ShapeAfter<Body, Input> extends ShapeError<infer Message>
    ? Message
    : unknown
  : unknown;
