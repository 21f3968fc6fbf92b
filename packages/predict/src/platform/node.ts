// Not for users: what differs between Node and a web page. Bundlers take `page.ts` in its place. What is not needed by every predictor is
// loaded when it is called.
import type { quantizeNetwork as quantize } from "../quantize/quantize-network.ts";
import type { openSource as open } from "../sources/open-source.ts";
import type { readyEngine as ready } from "./ready-engine.ts";

export { imageFile } from "./image-file.ts";

/** `openSource` of `sources/open-source.ts`. */
export const openSource: typeof open = async (...args) =>
  (await import("../sources/open-source.ts")).openSource(...args);

/** `quantizeNetwork` of `quantize/quantize-network.ts`. */
export const quantizeNetwork: typeof quantize = async (...args) =>
  (await import("../quantize/quantize-network.ts")).quantizeNetwork(...args);

/** `readyEngine` of `ready-engine.ts`. */
export const readyEngine: typeof ready = async (...args) => (await import("./ready-engine.ts")).readyEngine(...args);

/** How many threads TensorFlow's graphs compute with. */
export async function engineThreads(): Promise<number | undefined> {
  return (await import("@convkit/engine/internal")).threadsOf();
}
