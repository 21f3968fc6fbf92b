import type { LayersModel } from "@tensorflow/tfjs-layers";
import { TrainerError } from "../trainer-error.ts";

export { runtimeForward } from "./page/runtime-forward.ts";
export { isLiveTerminal, isTerminal, type ProgressBar, progressBar, writeLine } from "./page/terminal.ts";

/** Throws TrainerError: a run directory needs a file system. `train` refuses `out` in a page before it comes to this. */
export async function saveModel(): Promise<never> {
  throw new TrainerError("A web page has no folder for a run: leave out away.");
}

/** Throws TrainerError: the package that adapts weights is not bundled for pages. */
export async function withInputChannels(model: LayersModel): Promise<never> {
  throw new TrainerError(`fineTune: a web page cannot adapt the channels of ${model.name}: leave channels away.`);
}
