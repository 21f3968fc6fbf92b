import { withoutDrawing } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { createModel, findArchitecture, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { runPeer } from "@convkit/testing";
import { loadModel, loadWeights } from "@convkit/weights";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { createHash } from "node:crypto";
import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPeer } from "./peer.ts";
import type { Peer } from "./peer.ts";
import { readArray } from "../read-array.ts";
import { readResults, writeResults } from "./results.ts";
import type { Result, Results } from "./results.ts";
import { changedStructures } from "./structures.ts";
import type { Structure } from "./structures.ts";

/**
 * Counts the networks of other libraries that load here with their own numbers, and writes docs/networks.md.
 *
 * `pnpm find:networks structure` finds, for every network of torchvision and timm (with `timm/regnet`: of this family), the networks
 * of ours with the same kernels; draws and computes nothing. Other arguments are parts of names such as "timm:resnet": these are
 * compared, one after another, and the results are kept, so that a campaign can be cut into parts. `new` leaves out those that were
 * compared before.
 */
const bound = 1e-4;
const folder = mkdtempSync(join(tmpdir(), "convkit-networks-"));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The last line of what Python printed: libraries print notes of their own before it. */
function listed<T>(output: string): T {
  return JSON.parse(output.trim().split("\n").at(-1)!) as T;
}

/** The networks of the zoo by the sizes of their kernels, with ten classes. */
function ownByKernels(): Map<string, ModelName[]> {
  const found = new Map<string, ModelName[]>();
  for (const name of Object.keys(zoo) as ModelName[]) {
    const model = withoutDrawing(() => createModel(name, { classes: 10 }));
    // Factors and biases lie along one axis, whatever the number of axes.
    const sizes = model.trainableWeights.filter(({ shape }) => count(shape) > Math.max(...(shape as number[])));
    const key = hashOf(sizes.map(({ shape }) => count(shape)).toSorted((a, b) => a - b));
    found.set(key, [...(found.get(key) ?? []), name]);
    model.dispose();
  }
  return found;
}

/** The same hash as in networks.py. */
function hashOf(kernels: readonly number[]): string {
  return createHash("sha1")
    .update(`[${kernels.join(", ")}]`)
    .digest("hex")
    .slice(0, 12);
}

function count(shape: readonly (number | null)[]): number {
  return shape.reduce<number>((product, size) => product * size!, 1);
}

/** Height and width: not square, and for a VGG and AlexNet as ONNX with the one map that its dense layers take. */
function sizeFor(name: string): [number, number] {
  if (/^vgg|-onnx:(vgg|alexnet)/.test(name)) return [224, 250];
  const ofPeer = /Inception|Xception|NASNet|:inception/.test(name) ? 75 : 64;
  const smallest = Object.hasOwn(zoo, name) ? findArchitecture(name).smallest : ofPeer;
  return smallest > 64 ? [107, 139] : [64, 96];
}

/** timm's and torchvision's networks take scaled colors; Keras' EfficientNet scales raw pixels itself. */
function inputFor(model: LayersModel, x: tf.Tensor): tf.Tensor {
  if (!model.layers.some((layer) => layer.getClassName() === "Normalization")) return x;
  const scaled = tf.add(tf.mul(x, tf.tensor1d([0.229, 0.224, 0.225])), tf.tensor1d([0.485, 0.456, 0.406]));
  return tf.mul(scaled, 255);
}

/** How far the logits are from the peer's, as a share of the largest; a sentence if the file does not load. */
async function difference(stem: string, file: string, ours: ModelName | undefined): Promise<number | string> {
  const [x, y] = [await readArray(`${stem}.x.npy`), await readArray(`${stem}.y.npy`)];
  try {
    const [height, width] = [x.shape[1]!, x.shape[2]!];
    const model =
      ours === undefined
        ? await loadModel(file)
        : withoutDrawing(() => createModel(ours, { input: [height, width, 3], classes: 10, logits: true }));
    if (ours !== undefined) await loadWeights(model, file);
    const worst = tf.tidy(() => {
      const found = model.predict(ours === undefined ? x : inputFor(model, x)) as tf.Tensor;
      const most = tf.max(tf.abs(tf.sub(found, y)));
      return tf.div(most, tf.max(tf.abs(y))).dataSync()[0]!;
    });
    model.dispose();
    return Number(worst.toPrecision(2));
  } catch (error) {
    return (error as Error).message.replaceAll(/\s+/g, " ").replaceAll(`${folder}/`, "").slice(0, 160);
  } finally {
    tf.dispose([x, y]);
    tf.disposeVariables();
  }
}

type Outcome = Pick<Result, "state" | "ours" | "detail">;

/** Compares a network with its rivals in the zoo. A file whose name says nothing loads first, then one with its own name. */
async function compare(peer: Peer, network: string, rivals: readonly (ModelName | undefined)[]): Promise<Outcome> {
  const stem = join(folder, network.replace(":", "-"));
  const attempts: Outcome[] = [];
  let made = "";
  for (const ours of rivals) {
    const size = sizeFor(ours ?? network);
    if (made !== String(size)) {
      for (const file of readdirSync(folder)) rmSync(join(folder, file));
      await peer.make(network, ...size);
      made = String(size);
    }
    const own = readdirSync(folder).find(
      (name) => name.startsWith(network.replace(":", "-")) && !/\.(npy|pth)$/.test(name),
    )!;
    const unnamed = join(folder, `weights${own.slice(own.lastIndexOf("."))}`);
    rmSync(unnamed, { force: true });
    linkSync(join(folder, own), unnamed);
    const found = await difference(stem, unnamed, ours);
    const of = ours === undefined ? {} : { ours };
    if (typeof found === "string") attempts.push({ state: "refused", ...of, detail: found });
    else if (found < bound) attempts.push({ state: "equal", ...of, detail: found });
    else {
      const told = await difference(stem, join(folder, own), ours);
      attempts.push(
        typeof told === "string" ? { state: "told", ...of, detail: told } : { state: "other", ...of, detail: found },
      );
    }
  }
  for (const file of readdirSync(folder)) rmSync(join(folder, file));
  const [best] = (["other", "equal", "told", "refused"] as const).flatMap((state) =>
    attempts.filter((each) => each.state === state),
  );
  return best!;
}

/** The networks of Keras' applications. */
function applications(): string[] {
  const source =
    "import json, keras\nprint(json.dumps([n for n in dir(keras.applications) if callable(getattr(keras.applications, n))]))";
  return listed<string[]>(runPeer(source));
}

/** The family of an application: its name without the size. */
function applicationFamily(name: string): string {
  return (
    /^(ConvNeXt|DenseNet|EfficientNetV2|EfficientNet|Inception|MobileNet|NASNet|ResNet|VGG|Xception)/.exec(name)?.[1] ??
    name
  );
}

/** The networks of torchvision and timm, or of some families of timm, and of Keras, that are to be compared. */
function findStructures(known: Results, families: readonly string[]): Results {
  const script = readFileSync(new URL("../../python/networks.py", import.meta.url), "utf8");
  const peers = listed<Record<string, Structure>>(
    runPeer(script, families.length === 0 ? ["torchvision", "timm"] : families),
  );
  const results = changedStructures(known, peers, ownByKernels());
  for (const library of ["keras", "tf_keras"])
    for (const name of applications())
      if (known[`${library}:${name}`] === undefined)
        results[`${library}:${name}`] = { family: applicationFamily(name), state: "alike" };
  return results;
}

const [first, ...parts] = process.argv.slice(2);
const results = await readResults();
await useEngine();
if (first === "structure") await writeResults(findStructures(results, parts));
else if (first !== undefined) {
  const isNew = first === "new";
  const wanted = isNew ? parts : [first, ...parts];
  const chosen = Object.entries(results).filter(
    ([network, { state }]) =>
      state !== "none" && (!isNew || state === "alike") && wanted.some((part) => network.includes(part)),
  );
  const peer = startPeer(folder);
  for (const [network, { family, rivals }] of chosen) {
    try {
      const outcome = await compare(peer, network, (rivals as ModelName[] | undefined) ?? [undefined]);
      const result = { family, ...(rivals === undefined ? {} : { rivals }), ...outcome };
      say(`${network}: ${JSON.stringify(result)}`);
      await writeResults({ [network]: result });
    } catch (error) {
      say(`${network}: ${(error as Error).message}`);
    }
  }
  peer.end();
} else await writeResults({});
rmSync(folder, { recursive: true, force: true });
process.exit(0);
