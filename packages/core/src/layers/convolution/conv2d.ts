import { OptionError } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import * as tfjs from "@convkit/core/platform";
import type * as tfl from "@tensorflow/tfjs-layers";
import { groupedConv2d, probeGroups } from "./grouped-kernel.ts";
import { onlyShape, onlyTensor, stockClass } from "../../tfjs/layer-class.ts";
import type { CallOptions, StockLayer } from "../../tfjs/layer-class.ts";

type Args = Parameters<typeof tfl.layers.conv2d>[0] & { groups?: number };

interface Fields {
  readonly filters: number;
  readonly kernelSize: [number, number];
  readonly strides: [number, number];
  readonly dilationRate: [number, number];
  readonly padding: "same" | "valid";
  readonly useBias: boolean;
  readonly activation: { apply(x: tf.Tensor): tf.Tensor };
  readonly kernelInitializer: unknown;
  readonly biasInitializer: unknown;
  readonly kernelRegularizer: unknown;
  readonly biasRegularizer: unknown;
  readonly kernelConstraint: unknown;
  readonly biasConstraint: unknown;
  kernel: tfl.LayerVariable;
  bias: tfl.LayerVariable | null;
}

const Stock = stockClass<Args, Fields>(tfjs.conv2d({ name: "stock", filters: 1, kernelSize: 1 }));

/**
 * Conv2D with groups, which trains when it is dilated: `[n, h, w, in] -> [n, h / stride, w / stride, filters]`. Each of the
 * `groups` parts of the input's channels has its own filters, so the kernel is `[kh, kw, in / groups, filters]`. (tfjs-layers'
 * own layer ignores `groups`, and tfjs has no gradient of a dilated convolution.)
 */
export class Conv2D extends Stock {
  static override className = "Conv2D";
  readonly groups: number;

  constructor(args: Args) {
    super(args);
    this.groups = args.groups ?? 1;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const channels = onlyShape(inputShape).at(-1);
    if (this.groups === 1) return super.build(inputShape);
    if (channels == null || channels % this.groups !== 0 || this.filters % this.groups !== 0) {
      throw new OptionError(
        `${this.name}: expected input channels and filters that ${this.groups} groups divide, got ${channels} and ${this.filters}.`,
      );
    }
    probeGroups();
    const addWeight = this.addWeight.bind(this) as (...args: unknown[]) => tfl.LayerVariable;
    const shape = [...this.kernelSize, channels / this.groups, this.filters];
    this.kernel = addWeight(
      "kernel",
      shape,
      null,
      this.kernelInitializer,
      this.kernelRegularizer,
      true,
      this.kernelConstraint,
    );
    if (this.useBias) {
      this.bias = addWeight(
        "bias",
        [this.filters],
        null,
        this.biasInitializer,
        this.biasRegularizer,
        true,
        this.biasConstraint,
      );
    }
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], options: CallOptions): tf.Tensor | tf.Tensor[] {
    const isDilated = this.dilationRate.some((rate) => rate !== 1);
    const skips = this.#skipsPixels(onlyTensor(inputs).shape.at(-1) as number);
    if (this.groups === 1 && !isDilated && !skips) return super.call(inputs, options as Record<string, unknown>);
    return tf.tidy(() => {
      const kernel = this.kernel.read() as tf.Tensor4D;
      const x = onlyTensor(inputs) as tf.Tensor4D;
      const seen = skips ? tf.avgPool(x, 1, this.strides, "valid") : x;
      const y = groupedConv2d(seen, kernel, this.groups, {
        strides: skips ? [1, 1] : this.strides,
        padding: this.padding,
        dilations: this.dilationRate,
      });
      return this.activation.apply(this.bias == null ? y : tf.add(y, this.bias.read()));
    });
  }

  override getConfig(): ReturnType<StockLayer["getConfig"]> {
    return { ...super.getConfig(), groups: this.groups };
  }

  /**
   * True if the pixels between the strides must be dropped first. In the filter gradient of a strided 1x1 convolution
   * with fewer than 16 channels, TensorFlow 2.21 (oneDNN) writes out of bounds, in Python too. Without a stride it is
   * safe.
   */
  #skipsPixels(channels: number): boolean {
    return channels < 16 && this.kernelSize.every((size) => size === 1) && this.strides.some((stride) => stride > 1);
  }
}
