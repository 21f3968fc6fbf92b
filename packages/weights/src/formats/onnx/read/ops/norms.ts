import { BatchNormalization, GroupNormalization } from "@convkit/core";
import * as tfl from "@tensorflow/tfjs-layers";
import { countOf } from "../../../../bytes/named-tensor.ts";
import { BatchStatisticsNormalization, RMSNormalization } from "../../../../layers/norms.ts";
import { arranged, channelsLast, orderOf, plain, range } from "../arrange.ts";
import type { Builder } from "../builder.ts";
import { floatsOf } from "../constant.ts";
import type { Constant } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import { sameAxis, sizeOfAxis } from "../signal.ts";
import type { Axis, Signal } from "../signal.ts";
import { isKnownSize } from "../sizes.ts";
import type { Read } from "./read.ts";

/** A signal whose second axis, the channels, is the last of its tensor. */
function lastChannels(builder: Builder, node: OnnxNode, x: Signal): Signal {
  const channels = x.axes[1] ?? builder.refuse(node, "expected an input with channels");
  if (sameAxis(x.physical.at(-1)!, channels) && channels.length > 0) return x;
  return plain(builder, node, x, channelsLast(x.axes.length));
}

function perChannel(builder: Builder, node: OnnxNode, index: number, channels: number): Constant {
  const constant = builder.constant(node, index);
  if (countOf(constant.shape) !== channels)
    return builder.refuse(
      node,
      `expected ${channels} numbers as its input ${index}, got [${constant.shape.join(", ")}]`,
    );
  return constant;
}

function knownChannels(builder: Builder, node: OnnxNode, axis: Axis): number {
  const size = sizeOfAxis(axis);
  return isKnownSize(size) ? size : builder.refuse(node, "expected a known number of channels");
}

/** Group normalization of a feature map; factor and offset of each channel may be missing. */
function grouped(
  builder: Builder,
  node: OnnxNode,
  x: Signal,
  groups: number,
  weights: { readonly gamma?: Constant | undefined; readonly beta?: Constant | undefined },
): Signal {
  const epsilon = builder.number(node, "epsilon", 1e-5);
  const { gamma, beta } = weights;
  const make = (name: string): tfl.layers.Layer =>
    new GroupNormalization({ name, groups, epsilon, scale: gamma !== undefined, center: beta !== undefined });
  const tensor = builder.applyWeighted(node, x.tensor, [groups, epsilon, gamma?.name, beta?.name, node.outputs], make, {
    gamma: gamma && (() => floatsOf(gamma)),
    beta: beta && (() => floatsOf(beta)),
  });
  return { ...x, tensor, isRaw: false, origin: undefined };
}

/** PyTorch's group normalization: an instance normalization of the groups, between two reshapes. */
function ofGroups(builder: Builder, node: OnnxNode, x: Signal): Signal | undefined {
  const [, group, rest] = x.axes;
  const last = x.physical.at(-1);
  if (x.axes.length !== 3 || group?.length !== 1 || last === undefined || last.length > 2 || last[0] !== group[0])
    return undefined;
  const own = x.physical.slice(1, -1).flat();
  const isWhole =
    [...own, ...last.slice(1)].every((atom) => rest!.includes(atom)) && own.length + last.length - 1 === rest!.length;
  if (!isWhole || !sameAxis(x.physical[0]!, x.axes[0]!)) return undefined;
  const isOne = [1, 2].every((index) => builder.constant(node, index).read()[0] === 2 - index);
  const isPlain = [1, 2].every((index) => new Set(Array.from(builder.constant(node, index).read())).size === 1);
  if (!isOne || !isPlain) return undefined;
  return grouped(builder, node, x, group[0]!.size as number, {});
}

export const norms: Readonly<Record<string, Read>> = {
  BatchNormalization: (builder, node) => {
    const ofBatch = builder.number(node, "training_mode", 0) === 1;
    if (builder.number(node, "is_test", 1) === 0 || node.outputs.slice(1).some((name) => builder.isUsed(name)))
      return builder.refuse(node, "gives each batch's statistics: export the network in evaluation mode");
    const given = lastChannels(builder, node, builder.signal(node));
    const x = given.physical.length > 4 ? joinedInside(builder, node, given) : given;
    const channels = knownChannels(builder, node, x.axes[1]!);
    const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((index) => perChannel(builder, node, index, channels));
    const [epsilon, momentum] = [builder.number(node, "epsilon", 1e-5), builder.number(node, "momentum", 0.9)];
    const tensor = builder.applyWeighted(
      node,
      x.tensor,
      [epsilon, momentum, ofBatch],
      (name) => new (ofBatch ? BatchStatisticsNormalization : BatchNormalization)({ name, epsilon, momentum }),
      {
        gamma: () => floatsOf(gamma!),
        beta: () => floatsOf(beta!),
        moving_mean: () => floatsOf(mean!),
        moving_variance: () => floatsOf(variance!),
      },
    );
    return { ...x, tensor, isRaw: false, origin: undefined };
  },
  InstanceNormalization: (builder, node) => {
    const given = builder.signal(node);
    const found = ofGroups(builder, node, given);
    if (found !== undefined) return found;
    const x = lastChannels(builder, node, given);
    const channels = knownChannels(builder, node, x.axes[1]!);
    return grouped(builder, node, x, channels, {
      gamma: perChannel(builder, node, 1, channels),
      beta: perChannel(builder, node, 2, channels),
    });
  },
  GroupNormalization: (builder, node) => {
    const x = lastChannels(builder, node, builder.signal(node));
    const channels = knownChannels(builder, node, x.axes[1]!);
    const groups = builder.number(node, "num_groups", 1);
    if (!(groups >= 1) || channels % groups !== 0)
      return builder.refuse(node, `expected groups that divide ${channels} channels, got ${groups}`);
    const [gamma, beta] = [1, 2].map((index): Constant => {
      const constant = builder.constant(node, index);
      const count = countOf(constant.shape);
      if (count === channels) return constant;
      // Before operator set 21 there is one number for each group.
      if (count !== groups)
        return builder.refuse(node, `expected ${channels} numbers as its input ${index}, got ${count}`);
      return {
        ...constant,
        shape: [channels],
        read: () =>
          Float32Array.from({ length: channels }, (_, i) => constant.read()[Math.floor((i * groups) / channels)]!),
      };
    });
    return grouped(builder, node, x, groups, { gamma, beta });
  },
  MeanVarianceNormalization: (builder, node) => {
    const given = builder.signal(node);
    const rank = given.axes.length;
    const stated = (builder.ints(node, "axes") ?? [0, 2, 3]).map((axis) => builder.axis(node, axis, rank));
    if (stated.includes(0) && builder.statedBatch !== 1)
      return builder.refuse(node, "takes the mean over the batch: export the file for a batch of 1");
    const axes = stated.filter((axis) => axis !== 0);
    const order = orderOf(given) ?? range(0, rank);
    const x = plain(builder, node, given, order);
    const axis = axes.map((own) => order.indexOf(own));
    return builder.operation(node, "standardize", { x, axis, epsilon: 1e-9 }, [x])[0]!;
  },
  RMSNormalization: (builder, node) => {
    const { ready, axis, gamma } = innerAxes(builder, node);
    const epsilon = builder.number(node, "epsilon", 1e-5);
    const make = (name: string): tfl.layers.Layer => new RMSNormalization({ name, axis, epsilon });
    const tensor = builder.applyWeighted(node, ready.tensor, [epsilon, axis], make, { scale: () => floatsOf(gamma) });
    return { ...ready, tensor, isRaw: false, origin: undefined };
  },
  LayerNormalization: (builder, node) => {
    const { ready, axis, gamma } = innerAxes(builder, node);
    const beta =
      builder.optional(node, 2) === undefined ? undefined : perChannel(builder, node, 2, countOf(gamma.shape));
    const epsilon = builder.number(node, "epsilon", 1e-5);
    const make = (name: string): tfl.layers.Layer =>
      tfl.layers.layerNormalization({ name, axis, epsilon, center: beta !== undefined });
    const tensor = builder.applyWeighted(node, ready.tensor, [epsilon, axis], make, {
      gamma: () => floatsOf(gamma),
      beta: beta && (() => floatsOf(beta)),
    });
    return { ...ready, tensor, isRaw: false, origin: undefined };
  },
};

interface InnerAxes {
  readonly ready: Signal;
  readonly axis: number | number[];
  readonly gamma: Constant;
}

/** The input with the axes from the node's axis on at its end, where one factor for each of their elements applies. */
function innerAxes(builder: Builder, node: OnnxNode): InnerAxes {
  const given = builder.signal(node);
  const rank = given.axes.length;
  const first = builder.axis(node, builder.number(node, "axis", -1), rank);
  const inner = given.axes.slice(first);
  const count = inner.length;
  const own = given.physical.slice(-count);
  const isLast =
    own.every((axis, index) => sameAxis(axis, inner[index]!)) &&
    given.physical.length >= count &&
    inner.every((axis) => axis.length === 1);
  const ready = isLast ? given : outerFirst(builder, node, given, first);
  const gamma = perChannel(builder, node, 1, countOf(inner.map((axis) => knownChannels(builder, node, axis))));
  const places = range(ready.physical.length - count, ready.physical.length);
  return { ready, axis: count === 1 ? -1 : places, gamma };
}

/** Joins all axes of the tensor between batch and channels, since tfjs normalizes at most 4 axes. */
function joinedInside(builder: Builder, node: OnnxNode, x: Signal): Signal {
  const { physical } = x;
  return arranged(builder, node, x, [physical[0]!, physical.slice(1, -1).flat(), physical.at(-1)!]);
}

/** Moves the axes from `first` on to the end of the tensor. */
function outerFirst(builder: Builder, node: OnnxNode, x: Signal, first: number): Signal {
  const rank = x.axes.length;
  const order = orderOf(x)?.filter((axis) => axis < first) ?? range(0, first);
  return plain(builder, node, arranged(builder, node, x, x.physical), [...order, ...range(first, rank)]);
}
