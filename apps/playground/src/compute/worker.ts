// Computes beside the page, which stays free meanwhile and goes on where its tab is hidden.
import "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgpu";
import { expose } from "comlink";
import type { Compute } from "./compute.ts";
import { augmentedPictures } from "./augmented-pictures.ts";
import { startEngine } from "./start-engine.ts";
import { look } from "./look.ts";
import { TaughtNetwork } from "./taught-network.ts";
import { teach } from "./teach.ts";

let taught: TaughtNetwork | undefined;
let training: AbortController | undefined;

function network(): TaughtNetwork {
  if (taught === undefined) throw new Error("No network has been taught yet.");
  return taught;
}

const compute: Compute = {
  start: startEngine,
  augmented: augmentedPictures,
  async train(job, report) {
    training = new AbortController();
    const { model, result } = await teach(job, report, training.signal);
    taught?.dispose();
    taught = new TaughtNetwork(model);
    return result;
  },
  stop: () => training?.abort(new Error("The training was stopped before it had begun to learn.")),
  classify: (picture, isExplained) => network().classify(picture, isExplained),
  files: (format) => network().files(format),
  look,
};
expose(compute);
