import { alexnet } from "./alexnet.ts";
import { convnextTiny, convnextSmall, convnextBase, convnextLarge } from "./convnext.ts";
import { densenet121, densenet121Tv, densenet161, densenet169, densenet201 } from "./densenet.ts";
import {
  efficientnetB0,
  efficientnetB1,
  efficientnetB2,
  efficientnetB3,
  efficientnetB4,
  efficientnetB5,
  efficientnetB6,
  efficientnetB7,
} from "./efficientnet/keras.ts";
import {
  efficientnetB0Tv,
  efficientnetB1Tv,
  efficientnetB2Tv,
  efficientnetB3Tv,
  efficientnetB4Tv,
  efficientnetB5Tv,
  efficientnetB6Tv,
  efficientnetB7Tv,
} from "./efficientnet/torchvision.ts";
import { efficientnetV2S, efficientnetV2M, efficientnetV2L } from "./efficientnet/v2-torchvision.ts";
import { googlenet, googlenetTv } from "./googlenet.ts";
import { inceptionCifar10 } from "./notebooks/inception-cifar.ts";
import { inceptionResnetV2 } from "./inception-resnet-v2.ts";
import { inceptionV3, inceptionV3Tv } from "./inception-v3.ts";
import { lenet5 } from "./lenet.ts";
import { miniXception } from "./notebooks/mini-xception.ts";
import { mobilenet, mobilenetTimm } from "./mobilenet.ts";
import { mobilenetV2, mobilenetV2Tv } from "./mobilenet-v2.ts";
import { mobilenetV3Large, mobilenetV3Small } from "./mobilenet-v3.ts";
import { mnasnet, mnasnet05, mnasnet075, mnasnet13 } from "./mnasnet.ts";
import {
  regnetX400,
  regnetY400,
  regnetX800,
  regnetX1600,
  regnetX3200,
  regnetX8000,
  regnetX16000,
  regnetX32000,
  regnetY800,
  regnetY1600,
  regnetY3200,
  regnetY8000,
  regnetY16000,
  regnetY32000,
} from "./regnet.ts";
import { residualStack } from "./notebooks/residual-stack.ts";
import {
  resnet110Cifar10,
  resnet20Cifar10,
  resnet32Cifar10,
  resnet44Cifar10,
  resnet56Cifar10,
} from "./resnet/cifar10.ts";
import {
  resnet101D,
  resnet101Tv,
  resnet152Tv,
  resnet18,
  resnet18D,
  resnet34,
  resnet34D,
  resnet50D,
  resnet50Tv,
  resnext101x4,
  resnext101x8,
  resnext50,
  wideResnet101,
  wideResnet50,
} from "./resnet/torchvision.ts";
import { resnet50V2Timm } from "./resnet/timm-v2.ts";
import { resnet101V2, resnet152V2, resnet50V2 } from "./resnet/keras-v2.ts";
import { resnet101, resnet152, resnet50 } from "./resnet/keras.ts";
import { resnet50Small } from "./notebooks/resnet50-small.ts";
import { shufflenetV2Half, shufflenetV2, shufflenetV2OneHalf, shufflenetV2Double } from "./shufflenet-v2.ts";
import { simpleCnn } from "./notebooks/simple-cnn.ts";
import type { Network } from "./shared/sources.ts";
import { squeezenet10, squeezenet11 } from "./squeezenet.ts";
import { vgg11, vgg11Bn, vgg13, vgg13Bn, vgg16, vgg16Bn, vgg19, vgg19Bn } from "./vgg.ts";
import { vgg16Inception } from "./notebooks/vgg16-inception.ts";
import { xception, xceptionTimm } from "./xception.ts";

/** Every network by name. A new network needs its own file and an entry here. */
export const zoo = {
  // Small networks from courses
  lenet5,
  "simple-cnn": simpleCnn,
  "inception-cifar10": inceptionCifar10,
  "resnet50-small": resnet50Small,
  "residual-stack": residualStack,
  "mini-xception": miniXception,
  "vgg16-inception": vgg16Inception,
  // As in their papers
  googlenet,
  "resnet20-cifar10": resnet20Cifar10,
  "resnet32-cifar10": resnet32Cifar10,
  "resnet44-cifar10": resnet44Cifar10,
  "resnet56-cifar10": resnet56Cifar10,
  "resnet110-cifar10": resnet110Cifar10,
  // As in keras.applications
  vgg16,
  vgg19,
  resnet50,
  resnet101,
  resnet152,
  resnet50v2: resnet50V2,
  resnet101v2: resnet101V2,
  resnet152v2: resnet152V2,
  "inception-v3": inceptionV3,
  "inception-resnet-v2": inceptionResnetV2,
  xception,
  mobilenet,
  "mobilenet-v2": mobilenetV2,
  densenet121,
  densenet169,
  densenet201,
  "efficientnet-b0": efficientnetB0,
  "efficientnet-b1": efficientnetB1,
  "efficientnet-b2": efficientnetB2,
  "efficientnet-b3": efficientnetB3,
  "efficientnet-b4": efficientnetB4,
  "efficientnet-b5": efficientnetB5,
  "efficientnet-b6": efficientnetB6,
  "efficientnet-b7": efficientnetB7,
  // As in torchvision
  alexnet,
  vgg11,
  vgg13,
  "vgg11-bn": vgg11Bn,
  "vgg13-bn": vgg13Bn,
  "vgg16-bn": vgg16Bn,
  "vgg19-bn": vgg19Bn,
  "googlenet-tv": googlenetTv,
  "inception-v3-tv": inceptionV3Tv,
  resnet18,
  resnet34,
  "resnet50-tv": resnet50Tv,
  "resnet101-tv": resnet101Tv,
  "resnet152-tv": resnet152Tv,
  "resnext50-32x4d": resnext50,
  "resnext101-32x8d": resnext101x8,
  "resnext101-64x4d": resnext101x4,
  "wide-resnet50-2": wideResnet50,
  "wide-resnet101-2": wideResnet101,
  "squeezenet1-0": squeezenet10,
  "squeezenet1-1": squeezenet11,
  "mobilenet-v2-tv": mobilenetV2Tv,
  "mobilenet-v3-large": mobilenetV3Large,
  "mobilenet-v3-small": mobilenetV3Small,
  "convnext-tiny": convnextTiny,
  "convnext-small": convnextSmall,
  "convnext-base": convnextBase,
  "convnext-large": convnextLarge,
  "mnasnet0-5": mnasnet05,
  "mnasnet0-75": mnasnet075,
  "mnasnet1-0": mnasnet,
  "mnasnet1-3": mnasnet13,
  "regnet-x-400mf": regnetX400,
  "regnet-x-800mf": regnetX800,
  "regnet-x-1-6gf": regnetX1600,
  "regnet-x-3-2gf": regnetX3200,
  "regnet-x-8gf": regnetX8000,
  "regnet-x-16gf": regnetX16000,
  "regnet-x-32gf": regnetX32000,
  "regnet-y-400mf": regnetY400,
  "regnet-y-800mf": regnetY800,
  "regnet-y-1-6gf": regnetY1600,
  "regnet-y-3-2gf": regnetY3200,
  "regnet-y-8gf": regnetY8000,
  "regnet-y-16gf": regnetY16000,
  "regnet-y-32gf": regnetY32000,
  "shufflenet-v2-x0-5": shufflenetV2Half,
  "shufflenet-v2-x1-0": shufflenetV2,
  "shufflenet-v2-x1-5": shufflenetV2OneHalf,
  "shufflenet-v2-x2-0": shufflenetV2Double,
  "densenet121-tv": densenet121Tv,
  densenet161,
  "efficientnet-b0-tv": efficientnetB0Tv,
  "efficientnet-b1-tv": efficientnetB1Tv,
  "efficientnet-b2-tv": efficientnetB2Tv,
  "efficientnet-b3-tv": efficientnetB3Tv,
  "efficientnet-b4-tv": efficientnetB4Tv,
  "efficientnet-b5-tv": efficientnetB5Tv,
  "efficientnet-b6-tv": efficientnetB6Tv,
  "efficientnet-b7-tv": efficientnetB7Tv,
  "efficientnet-v2-s": efficientnetV2S,
  "efficientnet-v2-m": efficientnetV2M,
  "efficientnet-v2-l": efficientnetV2L,
  // As in timm
  resnet18d: resnet18D,
  resnet34d: resnet34D,
  resnet50d: resnet50D,
  resnet101d: resnet101D,
  "resnet50v2-timm": resnet50V2Timm,
  "xception-timm": xceptionTimm,
  "mobilenet-timm": mobilenetTimm,
} as const satisfies Readonly<Record<string, Network>>;

/**
 * Further names that include the source: `-keras` for keras.applications, `-tv` for torchvision, `-timm` for timm,
 * `-paper` for the paper. A name without such an ending means the source that `list` shows.
 */
export const aliases = {
  "googlenet-paper": "googlenet",
  "vgg16-keras": "vgg16",
  "vgg19-keras": "vgg19",
  "resnet50-keras": "resnet50",
  "resnet101-keras": "resnet101",
  "resnet152-keras": "resnet152",
  "resnet50v2-keras": "resnet50v2",
  "resnet101v2-keras": "resnet101v2",
  "resnet152v2-keras": "resnet152v2",
  "inception-v3-keras": "inception-v3",
  "inception-resnet-v2-keras": "inception-resnet-v2",
  "xception-keras": "xception",
  "mobilenet-keras": "mobilenet",
  "mobilenet-v2-keras": "mobilenet-v2",
  "densenet121-keras": "densenet121",
  "densenet169-keras": "densenet169",
  "densenet201-keras": "densenet201",
  "efficientnet-b0-keras": "efficientnet-b0",
  "efficientnet-b1-keras": "efficientnet-b1",
  "efficientnet-b2-keras": "efficientnet-b2",
  "efficientnet-b3-keras": "efficientnet-b3",
  "efficientnet-b4-keras": "efficientnet-b4",
  "efficientnet-b5-keras": "efficientnet-b5",
  "efficientnet-b6-keras": "efficientnet-b6",
  "efficientnet-b7-keras": "efficientnet-b7",
  "alexnet-tv": "alexnet",
  "vgg11-tv": "vgg11",
  "vgg13-tv": "vgg13",
  "vgg11-bn-tv": "vgg11-bn",
  "vgg13-bn-tv": "vgg13-bn",
  "vgg16-bn-tv": "vgg16-bn",
  "vgg19-bn-tv": "vgg19-bn",
  "resnet18-tv": "resnet18",
  "resnet34-tv": "resnet34",
  "resnext50-32x4d-tv": "resnext50-32x4d",
  "resnext101-32x8d-tv": "resnext101-32x8d",
  "resnext101-64x4d-tv": "resnext101-64x4d",
  "wide-resnet50-2-tv": "wide-resnet50-2",
  "wide-resnet101-2-tv": "wide-resnet101-2",
  "squeezenet1-0-tv": "squeezenet1-0",
  "squeezenet1-1-tv": "squeezenet1-1",
  "mobilenet-v3-large-tv": "mobilenet-v3-large",
  "mobilenet-v3-small-tv": "mobilenet-v3-small",
  "convnext-tiny-tv": "convnext-tiny",
  "convnext-small-tv": "convnext-small",
  "convnext-base-tv": "convnext-base",
  "convnext-large-tv": "convnext-large",
  "mnasnet0-5-tv": "mnasnet0-5",
  "mnasnet0-75-tv": "mnasnet0-75",
  "mnasnet1-0-tv": "mnasnet1-0",
  "mnasnet1-3-tv": "mnasnet1-3",
  "regnet-x-400mf-tv": "regnet-x-400mf",
  "regnet-x-800mf-tv": "regnet-x-800mf",
  "regnet-x-1-6gf-tv": "regnet-x-1-6gf",
  "regnet-x-3-2gf-tv": "regnet-x-3-2gf",
  "regnet-x-8gf-tv": "regnet-x-8gf",
  "regnet-x-16gf-tv": "regnet-x-16gf",
  "regnet-x-32gf-tv": "regnet-x-32gf",
  "regnet-y-400mf-tv": "regnet-y-400mf",
  "regnet-y-800mf-tv": "regnet-y-800mf",
  "regnet-y-1-6gf-tv": "regnet-y-1-6gf",
  "regnet-y-3-2gf-tv": "regnet-y-3-2gf",
  "regnet-y-8gf-tv": "regnet-y-8gf",
  "regnet-y-16gf-tv": "regnet-y-16gf",
  "regnet-y-32gf-tv": "regnet-y-32gf",
  "shufflenet-v2-x0-5-tv": "shufflenet-v2-x0-5",
  "shufflenet-v2-x1-0-tv": "shufflenet-v2-x1-0",
  "shufflenet-v2-x1-5-tv": "shufflenet-v2-x1-5",
  "shufflenet-v2-x2-0-tv": "shufflenet-v2-x2-0",
  "efficientnet-v2-s-tv": "efficientnet-v2-s",
  "efficientnet-v2-m-tv": "efficientnet-v2-m",
  "efficientnet-v2-l-tv": "efficientnet-v2-l",
  "densenet161-tv": "densenet161",
  "resnet18d-timm": "resnet18d",
  "resnet34d-timm": "resnet34d",
  "resnet50d-timm": "resnet50d",
  "resnet101d-timm": "resnet101d",
} as const satisfies Readonly<Record<string, keyof typeof zoo>>;

/** The name of a network of the zoo. */
export type ModelName = keyof typeof zoo;

/** A name that includes the source. */
export type ModelAlias = keyof typeof aliases;

/** The network with that name; undefined if the zoo has none. */
export function architectureOf(name: string): Network | undefined {
  const plain = Object.hasOwn(aliases, name) ? aliases[name as ModelAlias] : name;
  return Object.hasOwn(zoo, plain) ? zoo[plain as ModelName] : undefined;
}

/** The further names of a network. */
export function aliasesOf(name: string): string[] {
  return Object.entries(aliases).flatMap(([alias, plain]) => (plain === name ? [alias] : []));
}
