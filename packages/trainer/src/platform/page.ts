import { TrainerError } from "../trainer-error.ts";

export { runtimeForward } from "./page/runtime-forward.ts";
export { isLiveTerminal, isTerminal, type ProgressBar, progressBar, writeLine } from "./page/terminal.ts";

/** Throws TrainerError: a run directory needs a file system. `train` refuses `out` in a page before it comes to this. */
export async function saveModel(): Promise<never> {
  throw new TrainerError("A web page has no folder for a run: leave out away.");
}
