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
];

/** True for the networks that slow tests run: one of each builder; with `CONVKIT_SUITES=1` all. */
export function isRunInSlowTests(name: string): boolean {
  return process.env["CONVKIT_SUITES"] === "1" || !larger.includes(name);
}
