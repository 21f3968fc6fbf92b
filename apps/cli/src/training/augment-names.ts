/** The policies that `--augment` knows, and the part of a plan's `augment` that each stands for. */
const policies = {
  imagenet: { autoAugment: "imagenet" },
  cifar10: { autoAugment: "cifar10" },
  svhn: { autoAugment: "svhn" },
  rand: { randAugment: {} },
  trivial: { trivialAugment: {} },
  augmix: { augMix: {} },
  three: { threeAugment: {} },
} as const;

export type AugmentName = keyof typeof policies;

export const augmentNames = Object.keys(policies) as AugmentName[];

/** The augmentation of a plan with the policy as its last change. */
export function withPolicy(name: AugmentName, before: object | undefined): object {
  return { ...before, ...policies[name] };
}
