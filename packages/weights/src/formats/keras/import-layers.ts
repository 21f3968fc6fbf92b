import { Identity, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D, Subtract } from "../../layers/base-layers.ts";
import { fromRegistry, kerasOnly, operation } from "./makers/common.ts";
import { base, numberOf } from "./layer-args.ts";
import type { Makers } from "./makers/request.ts";
import { attentionLayers } from "./makers/attention.ts";
import { convolutions } from "./makers/convolutions.ts";
import { normsAndActivations } from "./makers/norms-and-activations.ts";
import { plainMakers } from "./makers/plain.ts";
import { poolingAndSizes } from "./makers/pooling-and-sizes.ts";
import { recurrentLayers } from "./makers/recurrent.ts";

/** One maker for each class of Keras, of tfjs and of this package; later tables take precedence. */
export const makers: Makers = {
  ...plainMakers,
  ...convolutions,
  ...recurrentLayers,
  ...attentionLayers,
  ...normsAndActivations,
  ...poolingAndSizes,
  Discretization: (making) => operation(making, "discretization", ["bin_boundaries", "output_mode"]),
  CategoryEncoding: (making) => operation(making, "categoryencoding", ["num_tokens", "output_mode"]),
  AddLoss: ({ args }) => new Identity(base(args)),
  AddMetric: ({ args }) => new Identity(base(args)),
  SpatialDropout1D: ({ args, config }) => new SpatialDropout1D({ ...base(args), rate: numberOf(config["rate"], 0.5) }),
  SpatialDropout3D: ({ args, config }) => new SpatialDropout3D({ ...base(args), rate: numberOf(config["rate"], 0.5) }),
  AutoContrast: (making) => operation(making, "autocontrast", ["value_range"]),
  Identity: ({ args }) => new Identity(base(args)),
  MaxNumBoundingBoxes: ({ args }) => new Identity(base(args)),
  Subtract: ({ args }) => new Subtract(base(args)),
  SpatialDropout2D: ({ args, config }) => new SpatialDropout2D({ ...base(args), rate: numberOf(config["rate"], 0.5) }),
  // Our RandAugment follows the paper; Keras' layer of this name makes other changes. Only Keras writes a value range.
  RandAugment: (making) =>
    making.config["value_range"] === undefined
      ? fromRegistry("RandAugment", making.args)
      : kerasOnly("RandAugment", making),
};
