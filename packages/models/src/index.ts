export { alexnet } from "./alexnet.ts";
export { createModel, findArchitecture, isModelName } from "./create-model.ts";
export { convnextTiny, convnextSmall, convnextBase, convnextLarge } from "./convnext.ts";
export { densenet121, densenet121Tv, densenet161, densenet169, densenet201 } from "./densenet.ts";
export {
  efficientnetB0,
  efficientnetB1,
  efficientnetB2,
  efficientnetB3,
  efficientnetB4,
  efficientnetB5,
  efficientnetB6,
  efficientnetB7,
} from "./efficientnet/keras.ts";
export {
  efficientnetB0Tv,
  efficientnetB1Tv,
  efficientnetB2Tv,
  efficientnetB3Tv,
  efficientnetB4Tv,
  efficientnetB5Tv,
  efficientnetB6Tv,
  efficientnetB7Tv,
} from "./efficientnet/torchvision.ts";
export { efficientnetV2S, efficientnetV2M, efficientnetV2L } from "./efficientnet/v2-torchvision.ts";
export { googlenet, googlenetTv } from "./googlenet.ts";
export { inceptionCifar10 } from "./notebooks/inception-cifar.ts";
export { inceptionResnetV2 } from "./inception-resnet-v2.ts";
export { inceptionV3, inceptionV3Tv } from "./inception-v3.ts";
export { lenet5 } from "./lenet.ts";
export { list } from "./list.ts";
export type { ModelInfo } from "./list.ts";
export type { Network } from "./shared/sources.ts";
export { miniXception } from "./notebooks/mini-xception.ts";
export { mobilenetV2, mobilenetV2Tv } from "./mobilenet-v2.ts";
export { mnasnet, mnasnet05, mnasnet075, mnasnet13 } from "./mnasnet.ts";
export {
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
export { mobilenetV3Large, mobilenetV3Small } from "./mobilenet-v3.ts";
export { mobilenet, mobilenetTimm } from "./mobilenet.ts";
export { residualStack } from "./notebooks/residual-stack.ts";
export {
  resnet110Cifar10,
  resnet20Cifar10,
  resnet32Cifar10,
  resnet44Cifar10,
  resnet56Cifar10,
} from "./resnet/cifar10.ts";
export {
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
export { resnet50V2Timm } from "./resnet/timm-v2.ts";
export { resnet101V2, resnet152V2, resnet50V2 } from "./resnet/keras-v2.ts";
export { resnet101, resnet152, resnet50 } from "./resnet/keras.ts";
export { resnet50Small } from "./notebooks/resnet50-small.ts";
export { shufflenetV2Half, shufflenetV2, shufflenetV2OneHalf, shufflenetV2Double } from "./shufflenet-v2.ts";
export { simpleCnn } from "./notebooks/simple-cnn.ts";
export { squeezenet10, squeezenet11 } from "./squeezenet.ts";
export { unet } from "./unet.ts";
export type { UnetOptions, Upsampling } from "./unet.ts";
export { vgg11, vgg11Bn, vgg13, vgg13Bn, vgg16, vgg16Bn, vgg19, vgg19Bn } from "./vgg.ts";
export { vgg16Inception } from "./notebooks/vgg16-inception.ts";
export { xception, xceptionTimm } from "./xception.ts";
export { aliases, zoo } from "./zoo.ts";
export type { ModelAlias, ModelName } from "./zoo.ts";
