import type { ImageShape } from "@convkit/core";
import type { ModelAlias, ModelName, aliases } from "./zoo.ts";

/** Input and classes of the networks of the zoo that are not made for 224x224x3 and ImageNet's 1,000 classes. A test compares them. */
export interface OtherShapes {
  lenet5: [[28, 28, 1], 10];
  "simple-cnn": [[28, 28, 3], 10];
  "inception-cifar10": [[32, 32, 3], 10];
  "resnet50-small": [[32, 32, 3], 10];
  "residual-stack": [[32, 32, 3], 1];
  "mini-xception": [[180, 180, 3], 1];
  "vgg16-inception": [[224, 224, 1], 1000];
  "resnet20-cifar10": [[32, 32, 3], 10];
  "resnet32-cifar10": [[32, 32, 3], 10];
  "resnet44-cifar10": [[32, 32, 3], 10];
  "resnet56-cifar10": [[32, 32, 3], 10];
  "resnet110-cifar10": [[32, 32, 3], 10];
  "inception-v3": [[299, 299, 3], 1000];
  "inception-resnet-v2": [[299, 299, 3], 1000];
  xception: [[299, 299, 3], 1000];
  "efficientnet-b1": [[240, 240, 3], 1000];
  "efficientnet-b2": [[260, 260, 3], 1000];
  "efficientnet-b3": [[300, 300, 3], 1000];
  "efficientnet-b4": [[380, 380, 3], 1000];
  "efficientnet-b5": [[456, 456, 3], 1000];
  "efficientnet-b6": [[528, 528, 3], 1000];
  "efficientnet-b7": [[600, 600, 3], 1000];
  "inception-v3-tv": [[299, 299, 3], 1000];
  "efficientnet-b1-tv": [[240, 240, 3], 1000];
  "efficientnet-b2-tv": [[288, 288, 3], 1000];
  "efficientnet-b3-tv": [[300, 300, 3], 1000];
  "efficientnet-b4-tv": [[380, 380, 3], 1000];
  "efficientnet-b5-tv": [[456, 456, 3], 1000];
  "efficientnet-b6-tv": [[528, 528, 3], 1000];
  "efficientnet-b7-tv": [[600, 600, 3], 1000];
  "efficientnet-v2-s": [[384, 384, 3], 1000];
  "efficientnet-v2-m": [[480, 480, 3], 1000];
  "efficientnet-v2-l": [[480, 480, 3], 1000];
  "xception-timm": [[299, 299, 3], 1000];
}

type PlainName<Name extends ModelName | ModelAlias> = Name extends ModelAlias ? (typeof aliases)[Name] : Name;

type ShapesOf<Name extends ModelName | ModelAlias> =
  PlainName<Name> extends keyof OtherShapes ? OtherShapes[PlainName<Name>] : [[224, 224, 3], 1000];

/** The input that `createModel` gives a network: the one asked for, or its own. */
export type CreatedInput<Name extends ModelName | ModelAlias, Asked> = [Asked] extends [ImageShape]
  ? Asked
  : ShapesOf<Name>[0];

/** The output: the classes asked for, or the network's own; not known without the top and with several outputs. */
export type CreatedOutput<Name extends ModelName | ModelAlias, Classes, Top, Aux> = [Top, Aux] extends [true, false]
  ? [Classes extends number ? Classes : ShapesOf<Name>[1]]
  : readonly (number | null)[];
