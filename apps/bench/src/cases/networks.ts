/** The input of a measured network, and its expected number of parameters. */
export interface Network {
  readonly input: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  /** All parameters, batch norm's moving statistics too. */
  readonly params: number;
  /** Variance of the kernels' formula times fan-in: 2 keeps signals alive in plain networks, 1 keeps residual sums small. */
  readonly gain: 1 | 2;
  /** Pixels lie in [0, scale). */
  readonly scale: 1 | 255;
  /**
   * Largest relative difference of the second loss between systems: batch norm over few values amplifies rounding
   * errors.
   */
  readonly tolerance: number;
  /** SGD's learning rate, for networks where rounding in the first step would decide the second loss at 0.01. */
  readonly rate?: number;
}

const tolerance = 2e-3;

/** The networks of the cases: the notebooks' own, the keras.applications that they load, and ResNets. */
export const networks = {
  lenet5: { input: [28, 28, 1], classes: 10, params: 61_706, gain: 2, scale: 1, tolerance },
  "simple-cnn": { input: [28, 28, 3], classes: 10, params: 48_522, gain: 2, scale: 1, tolerance },
  "inception-cifar10": { input: [32, 32, 3], classes: 10, params: 8_403_242, gain: 2, scale: 1, tolerance },
  "residual-same": { input: [32, 32, 3], classes: 10, params: 394_886, gain: 2, scale: 1, tolerance },
  "residual-different": { input: [32, 32, 3], classes: 10, params: 198_320, gain: 2, scale: 1, tolerance },
  "resnet50-small": { input: [32, 32, 3], classes: 10, params: 23_608_202, gain: 1, scale: 1, tolerance: 0.1 },
  "residual-stack": { input: [32, 32, 3], classes: 1, params: 297_697, gain: 1, scale: 255, tolerance },
  "mini-xception": { input: [180, 180, 3], classes: 1, params: 721_857, gain: 1, scale: 255, tolerance },
  "vgg16-inception": {
    input: [224, 224, 1],
    classes: 1000,
    params: 132_084_920,
    gain: 2,
    scale: 1,
    tolerance: 0.005,
    rate: 1e-6,
  },
  googlenet: { input: [224, 224, 3], classes: 1000, params: 6_998_552, gain: 2, scale: 1, tolerance },
  vgg16: { input: [224, 224, 3], classes: 1000, params: 138_357_544, gain: 2, scale: 1, tolerance },
  "inception-v3": { input: [299, 299, 3], classes: 1000, params: 23_851_784, gain: 2, scale: 1, tolerance: 0.05 },
  resnet50: { input: [224, 224, 3], classes: 1000, params: 25_636_712, gain: 1, scale: 1, tolerance: 0.05 },
  resnet152: { input: [224, 224, 3], classes: 1000, params: 60_419_944, gain: 1, scale: 1, tolerance: 0.05 },
} as const satisfies Readonly<Record<string, Network>>;

export type NetworkName = keyof typeof networks;
