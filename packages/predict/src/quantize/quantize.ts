import { quantizeNetwork } from "@convkit/predict/platform";

import { openable, type PredictorSource } from "../sources/predictor-source.ts";
import type { QuantizationData } from "./judge.ts";
import type { Quantized } from "./quantization-report.ts";
import { checkQuantizeOptions, type QuantizeOptions } from "./quantize-options.ts";

/**
 * Quantizes a network for prediction: convolutions and dense layers with 8-bit weights (one scale a channel) and 8-bit activations, as an
 * ONNX file of `QuantizeLinear` and `DequantizeLinear` pairs, which OpenVINO and ONNX Runtime compute in integers. The scales come from
 * what the activations are on `data`. The model is what `predictor` takes.
 *
 * Throws an `OptionError` for options and data that make no sense, and a `PredictError` where neither runtime is installed or the
 * network has no layer to quantize.
 */
export async function quantize(
  model: PredictorSource,
  data: QuantizationData,
  options: QuantizeOptions = {},
): Promise<Quantized> {
  checkQuantizeOptions(data, options);
  return quantizeNetwork(await openable(model), data, options);
}
