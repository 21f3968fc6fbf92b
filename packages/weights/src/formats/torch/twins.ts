/** A network of timm or torchvision whose files have the same names and shapes as a network of ours that computes otherwise. */
export interface Twin {
  /** Networks of the zoo. */
  readonly ours: readonly string[];
  /** Names of the networks there that compute as ours does, so that a longer name is not taken for a twin's. */
  readonly own: readonly string[];
  /** Names of the networks there that compute otherwise. */
  readonly theirs: readonly string[];
  /** How they differ, and where their files belong, as the end of a message. */
  readonly difference: string;
  /**
   * Whether such files have our names, too, or names of timm that are matched by structure. In the second case loading gives a note if
   * nothing tells which of both a file is of.
   */
  readonly names: "ours" | "timm";
}

const blurs = "it averages or blurs where it strides: the zoo has no such network";
const pads = "pads other sides and has another epsilon";
const efficient = ["b0", "b1", "b2", "b3", "b4"];
/** torchvision's weights of these sizes came from TensorFlow's, so that its networks have their epsilon, too. */
const efficientLarge = ["b5", "b6", "b7"];

/** Found by the command `find:networks`, which loads each file of timm and torchvision under a name that says nothing. */
export const twins: readonly Twin[] = [
  { ours: ["resnet18"], own: ["resnet18"], theirs: ["resnetblur18"], difference: blurs, names: "ours" },
  {
    ours: ["resnet50-tv"],
    own: ["resnet50"],
    theirs: ["resnetaa50", "resnetblur50"],
    difference: blurs,
    names: "ours",
  },
  { ours: ["resnet34d"], own: ["resnet34d"], theirs: ["resnetaa34d"], difference: blurs, names: "ours" },
  {
    ours: ["resnet50d"],
    own: ["resnet50d"],
    theirs: ["resnetaa50d", "resnetblur50d"],
    difference: blurs,
    names: "ours",
  },
  {
    ours: ["resnet101d"],
    own: ["resnet101d"],
    theirs: ["resnetaa101d", "resnetblur101d"],
    difference: blurs,
    names: "ours",
  },
  {
    ours: efficient.map((size) => `efficientnet-${size}-tv`),
    own: efficient.map((size) => `efficientnet_${size}`),
    theirs: efficient.map((size) => `tf_efficientnet_${size}`),
    difference: `timm's tf_efficientnet ${pads}: load such a file into efficientnet-b0 (-b1 …), without -tv`,
    names: "timm",
  },
  {
    ours: efficientLarge.map((size) => `efficientnet-${size}-tv`),
    own: [],
    theirs: efficientLarge.map((size) => `tf_efficientnet_${size}`),
    difference:
      "timm's tf_efficientnet pads other sides: load such a file into efficientnet-b5 (-b6, -b7), without -tv",
    names: "timm",
  },
  {
    ours: efficientLarge.map((size) => `efficientnet-${size}-tv`),
    own: [],
    theirs: efficientLarge.map((size) => `efficientnet_${size}`),
    difference: "timm's efficientnet of this size has another epsilon: the zoo has no such network",
    names: "timm",
  },
  {
    ours: [...efficient, ...efficientLarge].map((size) => `efficientnet-${size}`),
    own: [...efficient, ...efficientLarge].map((size) => `tf_efficientnet_${size}`),
    theirs: efficient.map((size) => `efficientnet_${size}`),
    difference: `timm's efficientnet ${pads}: load such a file into efficientnet-b0-tv (-b1-tv …)`,
    names: "timm",
  },
  {
    ours: efficientLarge.map((size) => `efficientnet-${size}`),
    own: [],
    theirs: efficientLarge.map((size) => `efficientnet_${size}`),
    difference: `timm's efficientnet ${pads}: the zoo has no such network of this size`,
    names: "timm",
  },
  {
    ours: ["efficientnet-b0", "efficientnet-b0-tv"],
    own: [],
    theirs: ["efficientnet_blur_b0"],
    difference: blurs,
    names: "timm",
  },
];
