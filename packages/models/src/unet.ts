import {
  batchNorm,
  chain,
  classActivation,
  conv,
  crop,
  dropout,
  glorotUniform,
  heNormal,
  initializer,
  layer,
  maxPool,
  network,
  relu,
  unitPixels,
  zeros,
} from "@convkit/core";
import type { Block, ImageShape, Preprocessing } from "@convkit/core";
import {
  belowOne,
  checkOptions,
  checkValues,
  OptionError,
  type OptionNames,
  shown,
  trueOrFalse,
  wholeFromOne,
  wholeFromZero,
} from "@convkit/errors";
import * as tfl from "@tensorflow/tfjs-layers";

/** How a decoder doubles the size of a map: a 2x2 transposed convolution, or upsampling and a 2x2 convolution. */
export type Upsampling = "transposed" | "nearest";

/** Options of `unet`. */
export interface UnetOptions {
  /** Height, width and channels; [256, 256, 3] by default. A height or width of null takes images of any size. */
  readonly input?: ImageShape | undefined;
  /** Classes of a pixel, 2 by default; 1 ends in a sigmoid, which tells two classes apart. */
  readonly classes?: number | undefined;
  /** Channels of each level; the paper's 64, 128, 256, 512, 1024 by default. */
  readonly widths?: readonly number[] | undefined;
  /**
   * "same" (the default) gives masks of the image's size, whose sides must be multiples of 2 for each halving. "valid" is
   * the paper's: the mask is smaller than the image, and `train` takes no such network.
   */
  readonly padding?: "same" | "valid" | undefined;
  /** How the decoder doubles sizes; "transposed" by default. */
  readonly up?: Upsampling | undefined;
  /** Adds a batch norm after each 3x3 convolution; false by default, as in the paper. */
  readonly norm?: boolean | undefined;
  /** Rate of dropout at the end of the contracting path; 0 by default. The paper names no rate. */
  readonly dropout?: number | undefined;
  /** Ends in logits instead of probabilities; false by default. */
  readonly logits?: boolean | undefined;
  /** How pixels from 0 to 255 become the input; 0 to 1 by default. */
  readonly preprocessing?: Preprocessing | undefined;
  /** Seed of the initial weights; 0 by default. */
  readonly seed?: number | undefined;
}

const names: OptionNames<UnetOptions> = {
  input: true,
  classes: true,
  widths: true,
  padding: true,
  up: true,
  norm: true,
  dropout: true,
  logits: true,
  preprocessing: true,
  seed: true,
};

/**
 * U-Net: a class for each pixel. `[n, h, w, c] -> [n, h, w, classes]`. The contracting path halves the map at each level, and
 * the expanding path doubles it and takes over the map of the same size. Initial weights are He's normal ones, as in the paper.
 * Throws an `OptionError` for options that make no sense and for sizes that do not fit.
 *
 * Ronneberger et al. 2015, U-Net: Convolutional Networks for Biomedical Image Segmentation, figure 1, https://arxiv.org/abs/1505.04597
 */
export function unet(options: UnetOptions = {}): tfl.LayersModel {
  const { input, classes, widths, padding, up, norm, dropout: rate, logits, preprocessing, seed } = checked(options);
  const pair = convPair(padding, norm);
  return network(
    input,
    (image) => {
      const steps: { readonly map: tfl.SymbolicTensor; readonly width: number }[] = [];
      let x = image;
      for (const [level, width] of widths.slice(0, -1).entries()) {
        const map = pair(width)(x, `down${level + 1}`); //         h x w x width
        steps.push({ map, width });
        x = maxPool(2, 2, { padding: "valid" })(map, `down${level + 1}.pool`); // h / 2 x w / 2 x width
      }
      x = pair(widths.at(-1)!)(x, "bottom");
      if (rate > 0) x = dropout(rate)(x, "bottom.dropout");
      for (const [level, { map, width }] of [...steps.entries()].toReversed()) {
        const path = `up${level + 1}`;
        const doubled = upBlock(up, width)(x, `${path}.double`); // h x w x width
        x = pair(width)(joined(map, doubled, path), path); //       h x w x width
      }
      return conv(classes, 1, { padding: "valid", activation: classActivation({ classes, logits }) })(x, "pixels");
    },
    { name: "unet", seed, preprocessing, images: sizeOfImages(input) },
  );
}

/** Two 3x3 convolutions, each with a ReLU. `[n, h, w, c] -> [n, h, w, width]` */
function convPair(padding: "same" | "valid", norm: boolean): (width: number) => Block {
  if (!norm) {
    return (width) =>
      chain({
        conv1: conv(width, 3, { padding, activation: "relu", init: heNormal }),
        conv2: conv(width, 3, { padding, activation: "relu", init: heNormal }),
      });
  }
  return (width) =>
    chain({
      conv1: conv(width, 3, { padding, bias: false, init: heNormal }),
      bn1: batchNorm(),
      relu1: relu(),
      conv2: conv(width, 3, { padding, bias: false, init: heNormal }),
      bn2: batchNorm(),
      relu2: relu(),
    });
}

/** Doubles height and width. `[n, h, w, c] -> [n, 2 h, 2 w, width]` */
function upBlock(up: Upsampling, width: number): Block {
  if (up !== "transposed") {
    return chain({
      resize: layer((name) => tfl.layers.upSampling2d({ name, size: [2, 2], interpolation: "nearest" })),
      conv: conv(width, 2, { padding: "same", init: heNormal }),
    });
  }
  return layer((name) =>
    tfl.layers.conv2dTranspose({
      name,
      filters: width,
      kernelSize: 2,
      strides: 2,
      padding: "valid",
      kernelInitializer: initializer(glorotUniform, `${name}/kernel`),
      biasInitializer: initializer(zeros, `${name}/bias`),
    }),
  );
}

/** The center of `map` beside `x`, along the channels. */
function joined(map: tfl.SymbolicTensor, x: tfl.SymbolicTensor, path: string): tfl.SymbolicTensor {
  const margins = [1, 2].map((axis) => (map.shape[axis] ?? 0) - (x.shape[axis] ?? 0));
  const pads = margins.map((margin) => [Math.floor(margin / 2), Math.ceil(margin / 2)] as const);
  const center = margins.every((margin) => margin === 0)
    ? map
    : crop(pads as unknown as readonly [readonly [number, number], readonly [number, number]])(map, `${path}.crop`);
  return tfl.layers.concatenate({ name: `${path}.concat` }).apply([center, x]) as tfl.SymbolicTensor;
}

function sizeOfImages([height, width]: ImageShape): { size: [number, number] } | undefined {
  return height === null || width === null ? undefined : { size: [height, width] };
}

type Checked = { readonly [Key in keyof UnetOptions]-?: NonNullable<UnetOptions[Key]> };

function checked(options: UnetOptions): Checked {
  checkOptions("unet", options, names);
  const made: Checked = {
    input: options.input ?? [256, 256, 3],
    classes: options.classes ?? 2,
    widths: options.widths ?? [64, 128, 256, 512, 1024],
    padding: options.padding ?? "same",
    up: options.up ?? "transposed",
    norm: options.norm ?? false,
    dropout: options.dropout ?? 0,
    logits: options.logits ?? false,
    preprocessing: options.preprocessing ?? unitPixels,
    seed: options.seed ?? 0,
  };
  const { input, widths, padding, up } = made;
  checkValues("unet", made, {
    classes: wholeFromOne,
    norm: trueOrFalse,
    dropout: belowOne,
    logits: trueOrFalse,
    seed: wholeFromZero,
  });
  const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) > 0;
  if (!Array.isArray(widths) || widths.length < 2 || !widths.every(isCount)) {
    throw new OptionError(`unet: expected at least two widths, whole numbers from 1, got ${shown(widths)}.`);
  }
  if (padding !== "same" && padding !== "valid") {
    throw new OptionError(`unet: expected padding to be "same" or "valid", got ${shown(padding)}.`);
  }
  if (up !== "transposed" && up !== "nearest") {
    throw new OptionError(`unet: expected up to be "transposed" or "nearest", got ${shown(up)}.`);
  }
  if (!Array.isArray(input) || input.length !== 3 || !input.every((side) => side === null || isCount(side))) {
    throw new OptionError(`unet: expected input as [height, width, channels], got ${shown(input)}.`);
  }
  for (const side of input.slice(0, 2)) checkSide(side, made);
  return made;
}

/** Refuses a height or width that a level cannot halve. */
function checkSide(side: number | null | undefined, { widths, padding }: Checked): void {
  const halvings = widths.length - 1;
  if (side === null || side === undefined) {
    if (padding === "same") return;
    throw new OptionError('unet: expected a height and a width for padding "valid", which crops maps by their sizes.');
  }
  if (padding === "same") {
    if (side % 2 ** halvings === 0) return;
    throw new OptionError(
      `unet: expected a height and a width that are multiples of ${2 ** halvings} for ${halvings} halvings, got ${side}.`,
    );
  }
  let size = side;
  for (let level = 0; level < halvings; level += 1) {
    size -= 4;
    if (size < 2 || size % 2 !== 0) {
      throw new OptionError(
        `unet: expected a side whose maps can be halved ${halvings} times, such as 572, but ${side} gives ${size} at level ${level + 1}.`,
      );
    }
    size /= 2;
  }
  size -= 4;
  for (let level = halvings; level > 0; level -= 1) size = 2 * size - 4;
  if (size < 1) throw new OptionError(`unet: expected a larger side than ${side}, whose mask would have no pixel.`);
}
