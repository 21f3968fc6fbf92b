import * as tf from "@tensorflow/tfjs-core";
import type * as convkit from "convkit";
import { smallNetwork } from "./small-network.ts";

/** What is told of a network. */
export interface Seen {
  readonly summary: string;
  readonly drawing: string;
  readonly window: string;
  readonly gradCam: readonly number[];
  readonly saliency: readonly number[];
  /** The receptive field of each layer by arithmetic. */
  readonly fields: unknown;
  /** The weights of the pixels that the convolution sees. */
  readonly measured: readonly number[];
}

type Names =
  | "draw"
  | "drawWindow"
  | "gradCam"
  | "measuredReceptiveField"
  | "receptiveFields"
  | "saliency"
  | "summaryText";

/** Looks at a small network with the functions of convkit. The results are the same wherever this runs. */
export async function seen(names: Pick<typeof convkit, Names>): Promise<Seen> {
  const model = smallNetwork();
  const image = tf.tensor3d(
    Array.from({ length: 192 }, (_, at) => Math.sin(at)),
    [8, 8, 3],
  );
  const { weights } = await names.measuredReceptiveField(model, { layer: "conv", samples: 2, seed: 1 });
  return {
    summary: names.summaryText(model),
    drawing: await names.draw(model),
    window: names.drawWindow({ input: 5, kernel: 3, stride: 2, padding: "same" }),
    gradCam: [...(await names.gradCam(model, image, { class: 1 })).values],
    saliency: [...(await names.saliency(model, image, { class: 1 })).values],
    fields: [...names.receptiveFields(model)],
    measured: [...weights],
  };
}
