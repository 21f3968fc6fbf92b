import * as tfl from "@tensorflow/tfjs-layers";

export type Tensor = tfl.SymbolicTensor;
export type Size = number | [number, number];
type ConvOptions = Partial<Parameters<typeof tfl.layers.conv2d>[0]>;

const { dense, flatten, reLU } = tfl.layers;

export function conv(x: Tensor, filters: number, kernelSize: Size, name: string, options: ConvOptions = {}): Tensor {
  return tfl.layers.conv2d({ filters, kernelSize, name, ...options }).apply(x) as Tensor;
}

export function maxPool(x: Tensor, poolSize: number, strides: number, padding: "same" | "valid" = "valid"): Tensor {
  return tfl.layers.maxPooling2d({ poolSize, strides, padding }).apply(x) as Tensor;
}

export function norm(x: Tensor, name: string, options: object = {}): Tensor {
  return tfl.layers.batchNormalization({ name, ...options }).apply(x) as Tensor;
}

export function relu(x: Tensor): Tensor {
  return reLU().apply(x) as Tensor;
}

export function fc(
  x: Tensor,
  units: number,
  name: string,
  activation: "relu" | "softmax" | "sigmoid" = "relu",
): Tensor {
  return dense({ units, name, activation }).apply(x) as Tensor;
}

export function flat(x: Tensor): Tensor {
  return flatten().apply(x) as Tensor;
}
