import {
  DilatedDepthwiseConv2D,
  GroupedConv3D,
  SizedConv2DTranspose,
  SizedConv3DTranspose,
} from "../../../layers/convolutions.ts";
import { EinsumDense } from "../../../layers/einsum-dense.ts";
import { Conv1DTranspose, DepthwiseConv1D, GroupedConv1D, SeparableConv1D } from "../../../layers/kernels.ts";
import { LocallyConnected1D, LocallyConnected2D } from "../../../layers/locally-connected.ts";
import { fromRegistry } from "./common.ts";
import { pairOf } from "../layer-args.ts";
import type { Layer, Makers, Request } from "./request.ts";
import { Conv2D } from "@convkit/core";

/** Convolutions of one to three axes, and layers with a kernel of their own at each place. */
export const convolutions: Makers = {
  Conv1DTranspose: ({ args }) => new Conv1DTranspose(args as never),
  DepthwiseConv1D: ({ args }) => new DepthwiseConv1D(args as never),
  EinsumDense: ({ args }) => new EinsumDense(args as never),
  SeparableConv1D: ({ args }) => new SeparableConv1D(args as never),
  Conv1D: ({ args, config }) =>
    config["padding"] === "causal" || Number(config["groups"] ?? 1) > 1
      ? new GroupedConv1D(args as never)
      : fromRegistry("Conv1D", args),
  Conv3D: ({ args, config }) =>
    Number(config["groups"] ?? 1) > 1 || [config["dilation_rate"] ?? 1].flat().some((rate) => rate !== 1)
      ? new GroupedConv3D(args as never)
      : fromRegistry("Conv3D", args),
  Conv3DTranspose: ({ args, config }) =>
    config["output_padding"] == null && [config["dilation_rate"] ?? 1].flat().every((rate) => rate === 1)
      ? fromRegistry("Conv3DTranspose", args)
      : new SizedConv3DTranspose(args as never),
  LocallyConnected1D: (making) => locallyConnected(LocallyConnected1D, making),
  LocallyConnected2D: (making) => locallyConnected(LocallyConnected2D, making),
  // Names of Keras 1 and of Keras' own aliases.
  Convolution2D: ({ args }) => new Conv2D(args as never),
  SeparableConvolution2D: ({ args }) => fromRegistry("SeparableConv2D", args),
  Conv2D: ({ args }) => new Conv2D(args as never),
  Conv2DTranspose: ({ args, config }) => {
    const isStock = config["output_padding"] == null && pairOf(config["dilation_rate"], 1).every((rate) => rate === 1);
    return isStock ? fromRegistry("Conv2DTranspose", args) : new SizedConv2DTranspose(args as never);
  },
  DepthwiseConv2D: ({ args, config }) =>
    pairOf(config["dilation_rate"], 1).every((rate) => rate === 1)
      ? fromRegistry("DepthwiseConv2D", args)
      : new DilatedDepthwiseConv2D(args as never),
};

function locallyConnected(
  Class: typeof LocallyConnected1D | typeof LocallyConnected2D,
  { args, config }: Request,
): Layer {
  const dataFormat = config["data_format"] === "channels_first" ? "channelsFirst" : "channelsLast";
  return new Class({ ...args, dataFormat } as never);
}
