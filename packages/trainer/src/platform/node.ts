// Not for users: what differs between Node and a web page. Bundlers take `page.ts` in its place.
export { saveModel } from "@convkit/weights";
export { withInputChannels } from "@convkit/weights/internal";
export { runtimeForward } from "../step/runtime-forward.ts";
export { isLiveTerminal, isTerminal, type ProgressBar, progressBar, writeLine } from "./terminal.ts";
