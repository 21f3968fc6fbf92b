import { withoutDrawing } from "@convkit/core";
import { createModel } from "@convkit/models";
import { loadWeights } from "@convkit/weights";
import type { LayersModel } from "@tensorflow/tfjs-layers";

/**
 * Loads MobileNetV2's weights into the network without its head: from a file that the reader chose, with or without the head of ImageNet, or
 * from the one beside the page. Throws with what to do where there is none.
 */
export async function mobilenetWeights(below: LayersModel, chosen: Blob | undefined): Promise<void> {
  const withTop = withoutDrawing(() => createModel("mobilenet-v2"));
  try {
    await loadWeights(below, chosen ?? (await besideThePage()), { withTop });
  } finally {
    withTop.dispose();
  }
}

async function besideThePage(): Promise<Blob> {
  const response = await fetch(new URL("weights/mobilenet-v2.h5", import.meta.url)).catch(() => undefined);
  if (response?.ok === true) return response.blob();
  // The server of `convkit playground` says why.
  const type = response?.headers.get("content-type") ?? "";
  const reason = type.startsWith("text/plain") ? ` ${(await response!.text()).slice(0, 500)}` : "";
  throw new Error(
    `There are no weights of MobileNetV2 beside this page.${reason} Choose a file of them under "Network", or take the small network.`,
  );
}
