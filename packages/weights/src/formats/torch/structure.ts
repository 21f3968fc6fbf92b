import type * as tfl from "@tensorflow/tfjs-layers";
import type { NamedTensor, TensorData } from "../../bytes/named-tensor.ts";
import { modelLayers } from "../../model/model-layers.ts";
import type { TorchWeight } from "./weights.ts";

/** How another library names the modules of a network that the zoo has. */
interface Naming {
  readonly ours: RegExp;
  /** Names of their networks, for the page of the format. */
  readonly theirs: string;
  /** A module that only files with these names have. */
  readonly sign: RegExp;
  /** Words of the names in the order of the network, at every depth. Other words sort by letters and numbers. */
  readonly words: string;
  /** Rewrites a name before it is sorted. */
  readonly rewrites?: readonly (readonly [RegExp, string])[];
  /** Their names of parameters, by ours, where they differ. */
  readonly parameters?: Readonly<Record<string, string>>;
}

const inverted =
  "conv_stem bn1 blocks conv_pw conv_dw bn2 se conv_reduce conv_expand conv_pwl bn3 conv_head classifier";

/** timm's and torchvision's names. The number and the shapes of all weights are compared besides. */
export const namings: readonly Naming[] = [
  {
    ours: /^vgg/,
    theirs: "timm: vgg11 to vgg19, vgg16_bn, vgg19_bn",
    sign: /^pre_logits\.fc1$/,
    words: "features pre_logits fc1 fc2 head",
  },
  { ours: /^mobilenet-v2-tv$/, theirs: "timm: mobilenetv2_100", sign: /^blocks\.0\.0\.conv_pw$/, words: inverted },
  {
    ours: /^efficientnet-b\d(-tv)?$/,
    theirs:
      "timm: efficientnet_b0 to efficientnet_b4 into those of `-tv`, tf_efficientnet_b0 to tf_efficientnet_b7 into the others",
    sign: /^blocks\.0\.0\.conv_pw$/,
    words: inverted,
  },
  {
    ours: /^mnasnet/,
    theirs: "timm: mnasnet_050, mnasnet_075, mnasnet_100",
    sign: /^blocks\.0\.0\.conv_pw$/,
    words: inverted,
  },
  {
    ours: /^regnet-/,
    theirs:
      "timm: regnetx_004_tv, regnetx_008, regnetx_016, regnetx_032, regnetx_080, regnetx_160, regnetx_320, regnety_004, regnety_008_tv, regnety_016, regnety_032, regnety_080_tv, regnety_160, regnety_320",
    sign: /^s1\.b1\.conv1\.conv$/,
    words: "stem s1 s2 s3 s4 conv1 conv2 se fc1 fc2 conv3 downsample head",
  },
  {
    ours: /^convnext-/,
    theirs: "timm: convnext_tiny, convnext_small, convnext_base, convnext_large",
    sign: /^stages\.0\.blocks\.0\.conv_dw$/,
    words: "stem stages downsample blocks conv_dw norm mlp fc1 fc2 factors head fc",
    // The factors are parameters of the block itself, and come last.
    rewrites: [[/^(stages\.\d+\.blocks\.\d+)$/, "$1.factors"]],
    parameters: { layer_scale: "gamma" },
  },
  {
    ours: /^inception-resnet-v2$/,
    theirs: "timm: inception_resnet_v2",
    sign: /^conv2d_1a\.conv$/,
    words:
      "conv2d_1a conv2d_2a conv2d_2b conv2d_3b conv2d_4a mixed_5b repeat mixed_6a repeat_1 mixed_7a repeat_2 block8 branch0 branch1 branch2 branch3 conv2d conv2d_7b classif",
  },
  {
    ours: /^densenet/,
    theirs: "torchvision and timm: densenet121, densenet169, densenet201",
    sign: /^features\.denseblock1\.denselayer1\.conv1$/,
    words: "features conv0 norm0 part norm5 classifier",
    rewrites: [
      [/denseblock(\d+)/, "part.$1.a"],
      [/transition(\d+)/, "part.$1.b"],
    ],
  },
];

/** Tensors of one module of a PyTorch state, by their last names. */
type Module = ReadonlyMap<string, NamedTensor>;

/** A weight of the model with the tensor that belongs to it and its values in tfjs' order. */
export interface StructureMatch {
  readonly weight: TorchWeight;
  readonly tensor: NamedTensor;
  readonly arrange: (tensor: NamedTensor) => TensorData | Promise<TensorData>;
}

export interface StructureReport {
  readonly matches: readonly StructureMatch[];
  /** Modules of the top, which the model lacks. */
  readonly left: readonly string[];
}

/** The tensors of a file, and how many modules of a top it may have that the model lacks. */
interface StructureFile {
  readonly tensors: readonly NamedTensor[];
  readonly spareModules: number;
}

/**
 * Pairs the weights of a network of the zoo with a file of timm or torchvision whose names differ: modules in the
 * network's order, by kind and shape. Undefined if no naming is known for the model and file; a text says the first
 * difference.
 */
export function matchStructure(
  model: tfl.LayersModel,
  weights: readonly TorchWeight[],
  { tensors, spareModules }: StructureFile,
): StructureReport | string | undefined {
  const modules = modulesOf(tensors);
  const naming = namings.find(
    ({ ours, sign }) => ours.test(model.name) && [...modules.keys()].some((name) => sign.test(name)),
  );
  if (naming === undefined) return undefined;
  const theirs = sorted([...modules.keys()], naming).map((name) => ({ name, module: modules.get(name)! }));
  const isNorm = (module: ReadonlyMap<string, unknown>): boolean => module.has("running_mean");
  const layers = ownModules(model, weights);
  const matches: StructureMatch[] = [];
  const left: string[] = [];
  const norms = layers.filter(({ parts }) => isNorm(parts));
  const foldsGamma = norms.length > 0 && norms.every(({ parts }) => !parts.has("weight"));
  for (const kind of [true, false]) {
    const [mine, others] = [
      layers.filter(({ parts }) => isNorm(parts) === kind),
      theirs.filter(({ module }) => isNorm(module) === kind),
    ];
    for (const [index, { name, parts }] of mine.entries()) {
      const other = others[index];
      if (other === undefined) return `the file has no module for "${name}"`;
      const found = pairModule(name, renamed(parts, naming), other, foldsGamma ? modules : undefined);
      if (typeof found === "string") return found;
      matches.push(...found);
    }
    if (others.length > mine.length + (kind ? 0 : spareModules))
      return `the file has "${others[mine.length]!.name}", for which the model has no layer`;
    left.push(...others.slice(mine.length).map(({ name }) => name));
  }
  return { matches, left };
}

function modulesOf(tensors: readonly NamedTensor[]): Map<string, Map<string, NamedTensor>> {
  const modules = new Map<string, Map<string, NamedTensor>>();
  for (const tensor of tensors) {
    const at = tensor.name.lastIndexOf(".");
    const name = tensor.name.slice(0, Math.max(0, at));
    if (!modules.has(name)) modules.set(name, new Map());
    modules.get(name)!.set(tensor.name.slice(at + 1), tensor);
  }
  return modules;
}

interface OwnModule {
  readonly name: string;
  readonly parts: ReadonlyMap<string, TorchWeight>;
}

/** The model's modules in the order in which its layers were made, without statistics that PyTorch's state lacks. */
function ownModules(model: tfl.LayersModel, weights: readonly TorchWeight[]): OwnModule[] {
  const byVariable = new Map(weights.map((weight) => [weight.variable, weight]));
  return modelLayers(model)
    .filter(({ layer, weights: own }) => own.length > 0 && layer.getClassName() !== "Normalization")
    .toSorted((a, b) => a.layer.id - b.layer.id)
    .map(({ name, weights: own }) => ({
      name,
      parts: new Map(
        own.map((variable) => {
          const weight = byVariable.get(variable)!;
          return [weight.torchName.slice(weight.torchName.lastIndexOf(".") + 1), weight];
        }),
      ),
    }));
}

/** A module of ours with their names of its parameters. */
function renamed(parts: OwnModule["parts"], { parameters = {} }: Naming): OwnModule["parts"] {
  return new Map([...parts].map(([part, weight]) => [parameters[part] ?? part, weight]));
}

function pairModule(
  own: string,
  parts: ReadonlyMap<string, TorchWeight>,
  { name, module }: { readonly name: string; readonly module: Module },
  folded: ReadonlyMap<string, Module> | undefined,
): StructureMatch[] | string {
  // Norms without gamma: the kernel before, whose name has the same parent, and the mean are multiplied by it.
  const isNorm = module.has("running_mean");
  const gamma =
    isNorm || !name.endsWith(".conv") ? undefined : folded?.get(name.replace(/\.conv$/, ".bn"))?.get("weight");
  const gammaOfMean = folded !== undefined && isNorm ? module.get("weight") : undefined;
  const spare = folded !== undefined && isNorm ? ["num_batches_tracked", "weight"] : ["num_batches_tracked"];
  const extra = [...module.keys()].find((part) => !parts.has(part) && !spare.includes(part));
  if (extra !== undefined) return `the file has "${name}.${extra}", which "${own}" has not`;
  const matches: StructureMatch[] = [];
  for (const [part, weight] of parts) {
    const tensor = module.get(part);
    if (tensor === undefined) return `"${own}" has "${part}", which "${name}" of the file has not`;
    if (!sameValues(weight.torchShape, tensor.shape))
      return `"${own}" has "${part}" of [${weight.torchShape}], "${name}" of the file [${tensor.shape}]`;
    const shaped = { ...tensor, shape: weight.torchShape };
    const factors = part === "running_mean" ? gammaOfMean : part === "weight" && !isNorm ? gamma : undefined;
    matches.push({
      weight,
      tensor,
      async arrange() {
        const values = await weight.fromTorch(shaped);
        if (factors === undefined) return values;
        const scale = factors.read();
        return Float32Array.from(values, (value, index) => value * scale[index % scale.length]!);
      },
    });
  }
  return matches;
}

/** Equal shapes but for sizes of 1, or a convolution over the whole map where the model has a dense layer. */
function sameValues(own: readonly number[], theirs: readonly number[]): boolean {
  const long = (sizes: readonly number[]): string => String(sizes.filter((size) => size !== 1));
  if (long(own) === long(theirs)) return true;
  const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
  return own.length === 2 && theirs.length === 4 && own[0] === theirs[0] && product(own) === product(theirs);
}

/** Names in the order of the network. */
function sorted(names: readonly string[], { words, rewrites = [] }: Naming): string[] {
  const ranks = new Map(words.split(" ").map((word, rank) => [word, rank]));
  const blocks = new Set(names.filter((name) => name.endsWith(".conv_pwl")).map((name) => name.replace(/\w+$/, "")));
  const keyOf = (name: string): string[] => {
    // A block without an expansion ends in `conv_pw`, where others begin with it.
    const own = name.endsWith(".conv_pw") && !blocks.has(name.replace(/\w+$/, "")) ? `${name}l` : name;
    return rewrites.reduce((text, [from, to]) => text.replace(from, to), own).split(".");
  };
  const compare = (a: string, b: string): number => {
    const [first, second] = [ranks.get(a), ranks.get(b)];
    if (first !== undefined && second !== undefined) return first - second;
    return a.localeCompare(b, "en", { numeric: true });
  };
  return names
    .map((name) => ({ name, key: keyOf(name) }))
    .toSorted((a, b) => {
      const at = a.key.findIndex((word, depth) => word !== b.key[depth]);
      return at === -1 ? a.key.length - b.key.length : compare(a.key[at]!, b.key[at] ?? "");
    })
    .map(({ name }) => name);
}
