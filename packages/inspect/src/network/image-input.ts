import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/** Images as the network takes them, that is after its preprocessing: `[h, w, c]`, or `[n, h, w, c]`. */
export type Images = tf.Tensor3D | tf.Tensor4D;

/** The images as a batch that the caller disposes. Throws an `OptionError` where they do not fit the model's one input. */
export function imageBatch(where: string, model: tfl.LayersModel, images: Images): tf.Tensor4D {
  const [input, ...others] = model.inputs;
  if (input === undefined || others.length > 0 || input.shape.length !== 4) {
    const shapes = model.inputs.map(({ shape }) => shape);
    throw new OptionError(
      `${where}: expected a model with one input of images [n, h, w, c], ${model.name} has ${shown(shapes)}.`,
    );
  }
  const wanted = input.shape.slice(1);
  const shape = images instanceof tf.Tensor ? (images.shape as number[]) : undefined;
  const single = shape?.length === 3 ? shape : shape?.slice(1);
  const fits =
    (shape?.length === 3 || shape?.length === 4) &&
    shape.every((size) => size > 0) &&
    wanted.every((size, axis) => size === null || size === single?.[axis]);
  if (!fits) {
    throw new OptionError(
      `${where}: expected an image as a tensor ${shown(wanted)}, preprocessed, got ${shape === undefined ? shown(images) : `one of ${shown(shape)}`}.`,
    );
  }
  return tf.tidy(() => tf.clone(shape.length === 3 ? tf.expandDims(images, 0) : images)) as tf.Tensor4D;
}

/** The one image as a batch of one. */
export function oneImage(where: string, model: tfl.LayersModel, image: Images): tf.Tensor4D {
  const batch = imageBatch(where, model, image);
  if (batch.shape[0] === 1) return batch;
  const [count] = batch.shape;
  batch.dispose();
  throw new OptionError(`${where}: expected one image, got ${count}; call it for each.`);
}
