import { chain, conv, dense, flatten, maxPool, network } from "@convkit/core";
import { fromArrays } from "@convkit/datasets";
import { evaluate, train } from "@convkit/trainer";
import type * as tfl from "@tensorflow/tfjs-layers";

/** What a training gave. */
export interface Trained {
  /** The mean loss of each epoch. */
  readonly losses: readonly number[];
  readonly accuracy: number;
  readonly loss: number;
}

const preprocessing = { scale: 1 / 255 };

/** A network that tells two classes of pictures of 8x8 pixels, with fixed weights. */
export function twoClasses(): tfl.LayersModel {
  const layers = [
    conv(4, 3, { padding: "same", activation: "relu" }),
    maxPool(2, 2, { padding: "valid" }),
    flatten(),
    dense(2, { activation: "softmax" }),
  ];
  return network([8, 8, 1], chain(layers), { seed: 3 });
}

/**
 * Trains a network, by default a new one, to tell a bright left half from a bright right half, through noise, on the engine in use. The
 * numbers are the same wherever it runs.
 */
export async function trainSmall(model = twoClasses(), epochs = 4): Promise<Trained> {
  const count = 96;
  const labels = Array.from({ length: count }, (_, image) => image % 2);
  let state = 12_345;
  const images = Uint8Array.from({ length: count * 64 }, (_, at) => {
    // The generator of Numerical Recipes.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const isRight = at % 8 >= 4;
    return ((state >>> 16) % 100) + (isRight === (labels[Math.floor(at / 64)] === 1) ? 60 : 0);
  });
  const data = fromArrays({ images, shape: [8, 8, 1], labels, classes: ["left", "right"] });
  const options = {
    optimizer: { name: "adam", learningRate: 0.01 },
    epochs,
    batch: 16,
    seed: 1,
    progress: false,
  } as const;
  const { history } = await train({ model, data, preprocessing, ...options });
  const { accuracy, loss } = await evaluate(model, data, { preprocessing });
  return { losses: history.map((logs) => logs.loss), accuracy, loss };
}
