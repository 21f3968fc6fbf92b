import { modelMetadata, type Preprocessing } from "@convkit/core";
import { gradCam, overlayPixels } from "@convkit/inspect";
import { modelFiles } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { Classified, Format } from "./compute.ts";
import { drawable, inputOf, squarePixels } from "./pictures.ts";

const paths: Readonly<Record<Format, string>> = { keras: "model.keras", onnx: "model.onnx", tfjs: "model" };

/** A network that was taught in this page. */
export class TaughtNetwork {
  readonly #model: LayersModel;
  readonly #preprocessing: Preprocessing;
  readonly #size: number;

  constructor(model: LayersModel) {
    this.#model = model;
    this.#preprocessing = modelMetadata(model).preprocessing ?? {};
    this.#size = model.inputs[0]!.shape[1]!;
  }

  async classify(picture: Blob, isExplained: boolean): Promise<Classified> {
    const pixels = await squarePixels(picture, this.#size);
    const input = inputOf(pixels, this.#preprocessing);
    const output = tf.tidy(() => this.#model.predict(input) as tf.Tensor);
    try {
      const scores = [...(await output.data())];
      if (!isExplained) return { scores };
      const { values } = await gradCam(this.#model, input);
      return { scores, heat: overlayPixels(drawable(pixels.data, this.#size), values) };
    } finally {
      tf.dispose([input, output]);
    }
  }

  async files(format: Format): Promise<readonly File[]> {
    return modelFiles(this.#model, paths[format], format === "tfjs" ? { format } : {});
  }

  dispose(): void {
    this.#model.dispose();
  }
}
