import { withoutDrawing } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { createModel, findArchitecture, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { runPeer } from "@convkit/testing";
import { loadModel, loadWeights, openWeights } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Loads networks of other libraries, with random weights that their own code draws, and compares the logits on images
 * that are not square: of torchvision and timm every network with the kernels of one of the zoo, by the names of its
 * weights or by its structure; of Keras every application, by its file. Arguments: parts of names such as "timm:" or
 * "resnet50". Prints a line a network, then how many of how many are equal, and the families without any.
 */
interface Listed {
  readonly family: string;
  readonly kernels: readonly number[];
}

/** Applications that need more memory than this comparison has: 88 to 350 million weights. */
const large = ["ConvNeXtLarge", "ConvNeXtXLarge", "EfficientNetB6", "EfficientNetB7", "EfficientNetV2L", "NASNetLarge"];
const bound = 1e-4;
const wanted = process.argv.slice(2);
const isWanted = (network: string): boolean => wanted.length === 0 || wanted.some((part) => network.includes(part));
const folder = mkdtempSync(join(tmpdir(), "convkit-networks-"));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function python(file: string, ...args: readonly string[]): string {
  return runPeer(readFileSync(new URL(file, import.meta.url), "utf8"), args);
}

/** The last line of what Python printed: libraries print notes of their own before it. */
function listed<T>(output: string): T {
  return JSON.parse(output.trim().split("\n").at(-1)!) as T;
}

async function array(path: string): Promise<tf.Tensor> {
  const file = await openWeights(path);
  const { shape, read } = file.tensors[0]!;
  const data = read();
  file.close();
  return tf.tensor(data, [...shape]);
}

/** The networks of the zoo by the sizes of their kernels, with ten classes. */
function ownByKernels(): Map<string, ModelName[]> {
  const found = new Map<string, ModelName[]>();
  for (const name of Object.keys(zoo) as ModelName[]) {
    const model = withoutDrawing(() => createModel(name, { classes: 10 }));
    const kernels = model.trainableWeights.filter(({ shape }) => shape.length > 1).map((weight) => count(weight.shape));
    const key = String(kernels.toSorted((a, b) => a - b));
    found.set(key, [...(found.get(key) ?? []), name]);
    model.dispose();
  }
  return found;
}

function count(shape: readonly (number | null)[]): number {
  return shape.reduce<number>((product, size) => product * size!, 1);
}

/** Height and width: not square, and for a VGG with the one map that its dense layers take. */
function sizeFor(name: string): [number, number] {
  if (name.startsWith("vgg")) return [224, 250];
  const smallest = Object.hasOwn(zoo, name) ? findArchitecture(name).smallest : 64;
  return smallest > 64 ? [107, 139] : [64, 96];
}

/** timm's and torchvision's networks take scaled colors; Keras' EfficientNet scales raw pixels itself. */
function inputFor(model: LayersModel, x: tf.Tensor): tf.Tensor {
  if (!model.layers.some((layer) => layer.getClassName() === "Normalization")) return x;
  const scaled = tf.add(tf.mul(x, tf.tensor1d([0.229, 0.224, 0.225])), tf.tensor1d([0.485, 0.456, 0.406]));
  return tf.mul(scaled, 255);
}

/** How far the logits are from the peer's, as a share of the largest; a sentence if the file does not load. */
async function difference(network: string, ours: ModelName | undefined): Promise<number | string> {
  const stem = network.replace(":", "-");
  const file = readdirSync(folder).find((name) => name.startsWith(`${stem}.`) && !/\.(npy|pth)$/.test(name))!;
  const [x, y] = [await array(join(folder, `${stem}.x.npy`)), await array(join(folder, `${stem}.y.npy`))];
  try {
    const [height, width] = [x.shape[1]!, x.shape[2]!];
    const model =
      ours === undefined
        ? await loadModel(join(folder, file))
        : withoutDrawing(() => createModel(ours, { input: [height, width, 3], classes: 10, logits: true }));
    if (ours !== undefined) await loadWeights(model, join(folder, file));
    const worst = tf.tidy(() => {
      const found = model.predict(ours === undefined ? x : inputFor(model, x)) as tf.Tensor;
      const most = tf.max(tf.abs(tf.sub(found, y)));
      return tf.div(most, tf.maximum(1, tf.max(tf.abs(y)))).dataSync()[0]!;
    });
    model.dispose();
    return worst;
  } catch (error) {
    return (error as Error).message.replaceAll(/\s+/g, " ").replaceAll(`${folder}/`, "").slice(0, 200);
  } finally {
    tf.dispose([x, y]);
    tf.disposeVariables();
  }
}

/** Compares a network with its rivals in the zoo, and tells what came of it. */
async function compare(network: string, rivals: readonly (ModelName | undefined)[]): Promise<boolean> {
  const sizes = new Map<string, (ModelName | undefined)[]>();
  for (const ours of rivals) {
    const size = sizeFor(ours ?? network).join(":");
    sizes.set(size, [...(sizes.get(size) ?? []), ours]);
  }
  let isEqual = false;
  for (const [size, names] of sizes) {
    python("../../../packages/weights/test/peers/network-suites.py", folder, `${network}:${size}`);
    for (const ours of names) {
      const worst = await difference(network, ours);
      const state = typeof worst === "string" ? `refused: ${worst}` : `${worst < bound ? "equal" : "OTHER"} ${worst}`;
      isEqual ||= typeof worst === "number" && worst < bound;
      say(`${network} ${ours ?? "its own file"}: ${state}`);
    }
    for (const file of readdirSync(folder)) rmSync(join(folder, file));
  }
  return isEqual;
}

await useEngine();
const totals = new Map<string, { equal: number; all: number; without: Map<string, number> }>();
const tell = (library: string, isEqual: boolean, family: string): void => {
  const total = totals.get(library) ?? { equal: 0, all: 0, without: new Map<string, number>() };
  total.all++;
  if (isEqual) total.equal++;
  else total.without.set(family, (total.without.get(family) ?? 0) + 1);
  totals.set(library, total);
};
if (wanted.length === 0 || wanted.some((part) => !part.startsWith("keras:"))) {
  const libraries = ["torchvision", "timm"].filter(
    (name) => wanted.length === 0 || wanted.some((part) => !part.includes(":") || part.startsWith(name)),
  );
  const peers = Object.entries(listed<Record<string, Listed>>(python("../python/networks.py", ...libraries)));
  const own = ownByKernels();
  for (const [network, { family, kernels }] of peers.filter(([name]) => isWanted(name))) {
    const rivals = own.get(String(kernels)) ?? [];
    tell(network.split(":")[0]!, await compare(network, rivals), family);
  }
}
const applications = listed<string[]>(
  runPeer(
    "import json, keras\nprint(json.dumps([n for n in dir(keras.applications) if callable(getattr(keras.applications, n))]))",
  ),
);
for (const network of applications.map((name) => `keras:${name}`).filter(isWanted)) {
  const isLarge = large.includes(network.slice("keras:".length));
  if (isLarge) say(`${network}: left out, too large`);
  tell("keras", !isLarge && (await compare(network, [undefined])), "too large to compare here");
}
for (const [library, { equal, all, without }] of totals) {
  const families = [...without].map(([family, networks]) => `${family} ${networks}`);
  say(`${library}: ${equal} of ${all} equal; without: ${families.join(", ")}`);
}
rmSync(folder, { recursive: true, force: true });
process.exit(0);
