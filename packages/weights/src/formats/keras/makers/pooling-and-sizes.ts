import * as tfl from "@tensorflow/tfjs-layers";
import { isObject } from "../../../bytes/json.ts";
import { GlobalMaxPooling2DKeepdims } from "../../../layers/base-layers.ts";
import { CroppedCentre, ResizedTo, ScaledUp2D, TrainingCrop } from "../../../layers/resize.ts";
import { MaskedAverage1D } from "../../../layers/wrappers.ts";
import { fromRegistry, operation } from "./common.ts";
import { base, pairOf } from "../layer-args.ts";
import type { Layer, Makers, Request } from "./request.ts";
import { AdaptiveAveragePooling2D, GlobalAveragePooling2D } from "@convkit/core";

/** Pools, and layers that change the size of images. */
export const poolingAndSizes: Makers = {
  ...Object.fromEntries(
    ["1D", "2D", "3D"].flatMap((rank) => [
      [`ZeroPadding${rank}`, (making: Request) => operation(making, "zeropadding", ["padding"])],
      [`Cropping${rank}`, (making: Request) => operation(making, "cropping", ["cropping"])],
      [`UpSampling${rank}`, (making: Request) => operation(making, "upsampling", ["size", "interpolation"])],
      [
        `GlobalAveragePooling${rank}`,
        (making: Request) => operation(making, "globalpool", ["keepdims"], { kind: "avg" }),
      ],
      [`GlobalMaxPooling${rank}`, (making: Request) => operation(making, "globalpool", ["keepdims"], { kind: "max" })],
      [
        `AdaptiveAveragePooling${rank}`,
        (making: Request) => operation(making, "adaptivepool", ["output_size"], { kind: "avg" }),
      ],
      [
        `AdaptiveMaxPooling${rank}`,
        (making: Request) => operation(making, "adaptivepool", ["output_size"], { kind: "max" }),
      ],
    ]),
  ),
  ZeroPadding2D: ({ args }) => fromRegistry("ZeroPadding2D", args),
  Cropping2D: ({ args }) => fromRegistry("Cropping2D", args),
  GlobalAveragePooling1D: ({ args }) => new MaskedAverage1D(args as never),
  GlobalMaxPooling1D: (making) => globalPool1d(making),
  Flatten: ({ args }) => {
    const layer = fromRegistry("Flatten", args);
    // tfjs refuses a batch of rows, which Keras returns as it is.
    layer.inputSpec = [];
    return layer;
  },
  CenterCrop: ({ args, config, isTfjs }) =>
    isTfjs
      ? fromRegistry("CenterCrop", args)
      : new CroppedCentre({ ...base(args), height: Number(config["height"]), width: Number(config["width"]) }),
  GlobalAveragePooling2D: ({ args }) =>
    new GlobalAveragePooling2D({
      ...base(args),
      dataFormat: "channelsLast",
      keepdims: args["keepdims"] === true,
    } as never),
  GlobalMaxPooling2D: ({ args }) =>
    args["keepdims"] === true
      ? new GlobalMaxPooling2DKeepdims(base(args))
      : tfl.layers.globalMaxPooling2d({ ...base(args), dataFormat: "channelsLast" }),
  UpSampling2D: (making) => {
    const { args, config, isTfjs } = making;
    if (isTfjs) return fromRegistry("UpSampling2D", args);
    const interpolation = config["interpolation"] ?? "nearest";
    if (interpolation !== "nearest" && interpolation !== "bilinear")
      return operation(making, "upsampling", ["size", "interpolation"]);
    const size = pairOf(config["size"], 2);
    return interpolation === "nearest"
      ? tfl.layers.upSampling2d({ ...base(args), size })
      : new ScaledUp2D({ ...base(args), size, interpolation });
  },
  Resizing: (making) => {
    const { args, config, isTfjs } = making;
    if (isTfjs) return fromRegistry("Resizing", args);
    const { interpolation = "bilinear", height, width } = config;
    const isPlain = !["crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"].some((key) => config[key] === true);
    if (!isPlain || (interpolation !== "nearest" && interpolation !== "bilinear")) {
      const keys = [
        "interpolation",
        "antialias",
        "crop_to_aspect_ratio",
        "pad_to_aspect_ratio",
        "fill_mode",
        "fill_value",
      ];
      return operation(making, "resize", keys, { size: [Number(height), Number(width)] });
    }
    return new ResizedTo({ ...base(args), height: Number(height), width: Number(width), interpolation });
  },
  AdaptiveAveragePooling2D: ({ args, config }) =>
    new AdaptiveAveragePooling2D({ ...base(args), outputSize: pairOf(config["output_size"], 1) } as never),
  // Only Keras 3 writes the type as an object. It crops in training alone.
  RandomCrop: ({ args, config }) =>
    isObject(config["dtype"])
      ? new TrainingCrop({ ...base(args), height: Number(config["height"]), width: Number(config["width"]) })
      : fromRegistry("RandomCrop", args),
};

function globalPool1d(making: Request): Layer {
  if (making.args["keepdims"] === true) return operation(making, "globalpool", ["keepdims"], { kind: "max" });
  return fromRegistry("GlobalMaxPooling1D", making.args);
}
