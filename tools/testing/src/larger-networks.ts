/** Networks of the zoo that the code of a smaller one in it builds with other numbers, or whose layers others have, too. Slow tests leave them out. */
const larger: readonly string[] = [
  "resnet32-cifar10",
  "resnet44-cifar10",
  "resnet56-cifar10",
  "resnet110-cifar10",
  "vgg16",
  "vgg19",
  "vgg13",
  "vgg19-bn",
  "resnet101",
  "resnet152",
  "resnet101v2",
  "resnet152v2",
  "densenet169",
  "densenet201",
  "efficientnet-b1",
  "resnet34",
  "resnet101-tv",
  "resnet152-tv",
  "squeezenet1-0",
  "densenet161",
  "efficientnet-b1-tv",
  "resnet34d",
  "resnet50d",
  "xception-timm",
  "mobilenet-v3-large",
  "regnet-x-400mf",
  "mnasnet1-0",
  "mnasnet0-5",
  "efficientnet-v2-s",
  "vgg16-bn",
  "densenet121-tv",
  "efficientnet-b0-tv",
  "mobilenet-v2-tv",
  "mobilenet-timm",
  "resnet50-tv",
  "resnet50v2-timm",
];

/**
 * Networks of many weights whose parts others have, too: `resnext50-32x4d` the wider 3x3, `resnet50d` the means, `vgg16-bn` the norms,
 * `efficientnet-b1` the blocks. Every test that computes with a network leaves them out; their
 * counts are compared in every run, their logits by `pnpm find:networks`.
 */
const largest: readonly string[] = [
  "vgg11-bn",
  "vgg13-bn",
  "resnext101-32x8d",
  "resnext101-64x4d",
  "wide-resnet50-2",
  "wide-resnet101-2",
  "resnet101d",
  "efficientnet-b2",
  "efficientnet-b3",
  "efficientnet-b4",
  "efficientnet-b2-tv",
  "efficientnet-b3-tv",
  "efficientnet-b4-tv",
  "convnext-small",
  "convnext-base",
  "convnext-large",
  "mnasnet0-75",
  "mnasnet1-3",
  "regnet-x-800mf",
  "regnet-x-1-6gf",
  "regnet-x-3-2gf",
  "regnet-x-8gf",
  "regnet-x-16gf",
  "regnet-x-32gf",
  "regnet-y-800mf",
  "regnet-y-1-6gf",
  "regnet-y-3-2gf",
  "regnet-y-8gf",
  "regnet-y-16gf",
  "regnet-y-32gf",
  "shufflenet-v2-x1-0",
  "shufflenet-v2-x1-5",
  "shufflenet-v2-x2-0",
  "efficientnet-b5-tv",
  "efficientnet-b6-tv",
  "efficientnet-b7-tv",
  "efficientnet-v2-m",
  "efficientnet-v2-l",
  "efficientnet-b5",
  "efficientnet-b6",
  "efficientnet-b7",
];

const isCampaign = process.env["CONVKIT_SUITES"] === "1";

/** True for the networks whose numbers every test run compares with the peer's; with `CONVKIT_SUITES=1` all. */
export function isComputedInTests(name: string): boolean {
  return isCampaign || !largest.includes(name);
}

/** True for the networks that slow tests run: one of each builder; with `CONVKIT_SUITES=1` all. */
export function isRunInSlowTests(name: string): boolean {
  return isCampaign || ![...larger, ...largest].includes(name);
}
