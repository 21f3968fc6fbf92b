/** One step of a renaming: `ours` and `theirs` are the two sides of one pattern, so each rule can be read both ways. */
export interface RenameRule {
  readonly ours: RegExp;
  readonly theirs: RegExp;
  /** Replacements for a match of `ours`, and for a match of `theirs`. */
  readonly toTheirs: string;
  readonly toOurs: string;
}

/** Our names avoid bare numbers, since JavaScript sorts such keys first: `b3` stands for PyTorch's `3`. */
const counted: RenameRule = {
  ours: /(?<=^|\.)b(\d+)(?=\.|$)/g,
  theirs: /(?<=^|\.)(\d+)(?=\.|$)/g,
  toTheirs: "$1",
  toOurs: "b$1",
};

/**
 * Naming rules of networks whose layer names differ from PyTorch's in more than counters. Other networks need only the
 * counter rule.
 */
const families: readonly (readonly [model: RegExp, rules: readonly RenameRule[]])[] = [
  [/^vgg16$/, vggRules([2, 2, 3, 3, 3])],
  [/^vgg19$/, vggRules([2, 2, 4, 4, 4])],
];

/** Converts our name of a layer to PyTorch's. */
export function torchLayerName(model: string, layer: string): string {
  return rulesOf(model).reduce((name, { ours, toTheirs }) => name.replace(ours, toTheirs), layer);
}

/** Converts PyTorch's name of a layer to ours: applies the inverse rules in reverse order. */
export function ownLayerName(model: string, layer: string): string {
  return rulesOf(model)
    .toReversed()
    .reduce((name, { theirs, toOurs }) => name.replace(theirs, toOurs), layer);
}

function rulesOf(model: string): readonly RenameRule[] {
  return families.find(([pattern]) => pattern.test(model))?.[1] ?? [counted];
}

/**
 * Maps Keras' names of VGG16 and VGG19 to torchvision's, which number each convolution, ReLU and pool of `features`.
 */
function vggRules(depths: readonly number[]): RenameRule[] {
  let next = 0;
  const features = depths.flatMap((depth, block) => {
    const rules = Array.from({ length: depth }, (_, i) =>
      plain(`block${block + 1}_conv${i + 1}`, `features.${next + 2 * i}`),
    );
    next += 2 * depth + 1;
    return rules;
  });
  return [
    ...features,
    plain("fc1", "classifier.0"),
    plain("fc2", "classifier.3"),
    plain("predictions", "classifier.6"),
  ];
}

function plain(ours: string, theirs: string): RenameRule {
  return { ours: exactly(ours), theirs: exactly(theirs), toTheirs: theirs, toOurs: ours };
}

function exactly(name: string): RegExp {
  return new RegExp(`^${name.replaceAll(".", "\\.")}$`);
}
