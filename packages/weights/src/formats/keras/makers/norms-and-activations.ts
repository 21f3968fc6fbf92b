import * as tfl from "@tensorflow/tfjs-layers";
import { BentReLU, ScaledELU, SoftmaxOver } from "../../../layers/base-layers.ts";
import { AxesBatchNormalization } from "../../../layers/axes-batch-norm.ts";
import { AxesNormalization, RMSNormalization, RenormBatchNormalization } from "../../../layers/norms.ts";
import { ActivityRegularization } from "../../../layers/wrappers.ts";
import { fromRegistry, operation } from "./common.ts";
import { base, numberOf } from "../layer-args.ts";
import type { Makers } from "./request.ts";
import { Normalization } from "@convkit/core";

/** Norms, activations and the penalty on activations. */
export const normsAndActivations: Makers = {
  SyncBatchNormalization: ({ args }) => fromRegistry("BatchNormalization", args),
  BatchNormalization: ({ args, config, refuse }) =>
    Array.isArray(config["axis"]) && config["axis"].length > 1
      ? config["renorm"] === true
        ? refuse("batch renormalization over several axes is not known")
        : new AxesBatchNormalization(args as never)
      : config["renorm"] === true
        ? new RenormBatchNormalization(args as never)
        : fromRegistry("BatchNormalization", args),
  LayerNormalization: ({ args, config }) =>
    config["rms_scaling"] === true
      ? new RMSNormalization({
          ...base(args),
          axis: args["axis"] as number,
          epsilon: numberOf(config["epsilon"], 1e-3),
          ofVariance: true,
        })
      : fromRegistry("LayerNormalization", args),
  BatchNormalizationV1: ({ args }) => fromRegistry("BatchNormalization", args),
  Normalization: (making) => {
    const { args, config } = making;
    const { axis, mean, variance } = config;
    const axes = Array.isArray(axis) ? axis.map(Number) : axis === null ? [] : [Number(axis ?? -1)];
    const [isChannels, invert] = [axes.length === 1 && (axes[0] === -1 || axes[0] === 3), config["invert"] === true];
    if (mean == null || variance == null) {
      return isChannels && !invert
        ? new Normalization(base(args))
        : new AxesNormalization({ ...base(args), axis: axes, invert });
    }
    // Statistics given as options are not weights. 1e-7 is Keras' own guard against a variance of zero.
    const means = [mean].flat(8).map(Number);
    const deviations = [variance].flat(8).map((value) => Math.max(Math.sqrt(Number(value)), 1e-7));
    if (!isChannels && Math.max(means.length, deviations.length) > 1)
      return operation(making, "normalization", ["mean", "variance", "invert"], { axis: axes });
    const meanOf = (channel: number): number => means[channel] ?? means[0]!;
    const scale = invert ? deviations : deviations.map((deviation) => 1 / deviation);
    const offset = scale.map((factor, channel) => (invert ? meanOf(channel) : -factor * meanOf(channel)));
    return tfl.layers.rescaling({ ...base(args), scale: scale as never, offset: offset as never });
  },
  Softmax: ({ args }) =>
    (args["axis"] ?? -1) === -1
      ? fromRegistry("Softmax", args)
      : new SoftmaxOver({ ...base(args), axis: args["axis"] as number | number[] }),
  ELU: ({ args, config }) => {
    const alpha = numberOf(config["alpha"], 1);
    return alpha === 1 ? tfl.layers.elu(base(args)) : new ScaledELU({ ...base(args), alpha });
  },
  LeakyReLU: ({ args, config }) =>
    tfl.layers.leakyReLU({ ...base(args), alpha: numberOf(config["negative_slope"] ?? config["alpha"], 0.3) }),
  ReLU: ({ args, config }) => {
    const [slope, threshold] = [numberOf(config["negative_slope"], 0), numberOf(config["threshold"], 0)];
    const largest = config["max_value"] == null ? null : numberOf(config["max_value"], 0);
    if (threshold !== 0 || (slope !== 0 && largest !== null))
      return new BentReLU({ ...base(args), maxValue: largest, negativeSlope: slope, threshold });
    if (slope !== 0) return tfl.layers.leakyReLU({ ...base(args), alpha: slope });
    return tfl.layers.reLU({ ...base(args), ...(largest === null ? {} : { maxValue: largest }) });
  },
  ActivityRegularization: ({ args, config }) =>
    new ActivityRegularization({ ...base(args), l1: numberOf(config["l1"], 0), l2: numberOf(config["l2"], 0) }),
};
