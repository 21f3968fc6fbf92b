import type * as tfl from "@tensorflow/tfjs-layers";
import type { Pair } from "../arithmetic/padding.ts";

/** How a layer's outputs look at its input: the window's extent (dilation included) and its stride. */
export interface LayerWindow {
  readonly extent: Pair;
  readonly stride: Pair;
}

/** The window of a layer with one; `"all"` for a layer that looks at the whole map; undefined for one that looks at single pixels. */
export function layerWindow(layer: tfl.layers.Layer): LayerWindow | "all" | undefined {
  const config = layer.getConfig();
  const of = (key: string): Pair => config[key] as unknown as Pair;
  switch (layer.getClassName()) {
    case "Conv2D":
    case "DepthwiseConv2D":
    case "SeparableConv2D": {
      const [kernel, dilation] = [of("kernelSize"), of("dilationRate") ?? [1, 1]];
      return {
        extent: [(kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1],
        stride: of("strides"),
      };
    }
    case "MaxPooling2D":
    case "AveragePooling2D":
    case "PaddedPooling2D":
      return { extent: of("poolSize"), stride: of("strides") };
    case "GlobalAveragePooling2D":
    case "GlobalMaxPooling2D":
    case "AdaptiveAveragePooling2D":
    case "GroupNormalization":
    case "Flatten":
      return "all";
    default:
      return undefined;
  }
}
