import { readFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { useEngine } from "@convkit/engine";
import {
  listWeights,
  loadModel,
  loadWeights,
  modelFiles,
  openWeights,
  type SaveOptions,
  saveModel,
  type WeightsError,
} from "@convkit/weights";
import { beforeAll, describe, expect, it } from "vitest";
import { withoutBrowser } from "../src/browser.ts";
import { logitsOf } from "../src/logits.ts";
import { runInPage } from "../src/run-in-page.ts";
import { smallNetwork } from "../src/small-network.ts";

const golden = (name: string): Promise<Uint8Array> =>
  readFile(new URL(`../../../packages/weights/test/golden/${name}`, import.meta.url));

/** Files of models that we write, by the path that the page finds them at. */
const written: readonly (readonly [name: string, options?: SaveOptions])[] = [
  ["net.keras"],
  ["net.h5"],
  ["net.onnx"],
  ["tfjs", { format: "tfjs" }],
  ["tfjs-uint8", { format: "tfjs", quantize: "uint8" }],
];
const kerasFiles = ["keras3.keras", "keras3.h5", "keras3-bzip2.keras", "keras3-lzma.keras"];
const weightFiles = [
  "state.pth",
  "state-legacy.pth",
  "exported.pt2",
  "traced.pt",
  "array.npy",
  "arrays.npz",
  "hdf5/v200.h5",
];

/** What the page gave. */
interface Got {
  readonly loaded: Readonly<Record<string, number[]>>;
  readonly listed: readonly unknown[];
  readonly own: number[];
  readonly again: Readonly<Record<string, number[]>>;
  readonly files: Readonly<Record<string, string>>;
  readonly refused: readonly (readonly string[])[];
  readonly messages: readonly string[];
}

const program = (single: readonly string[], folders: readonly string[], damaged: readonly string[]): string => `
  import * as tf from "@tensorflow/tfjs-core";
  import { useEngine } from "@convkit/engine";
  import { convert, listWeights, loadModel, loadWeights, modelFiles, openWeights, saveModel } from "@convkit/weights";
  import { logitsOf } from "./logits.ts";
  import { smallNetwork } from "./small-network.ts";
  const bytesAt = async (path) => (await fetch(path)).arrayBuffer();
  const message = (work) => work().then(() => "no error", (error) => error.name + ": " + error.message);
  const base64 = (bytes) => btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
  const ways = [
    async (name) => name,
    async (name) => new URL(name, location.href),
    async (name) => new Blob([await bytesAt(name)]),
    async (name) => new File([await bytesAt(name)], name),
    async (name) => bytesAt(name),
    async (name) => new Uint8Array(await bytesAt(name)),
    async (name) => URL.createObjectURL(new Blob([await bytesAt(name)])),
  ];
  async function load() {
    const loaded = {};
    for (const [index, name] of ${JSON.stringify(single)}.entries())
      for (const way of [index % 7, (index + 3) % 7])
        loaded[name + " by " + way] = await logitsOf(await loadModel(await ways[way](name)));
    for (const name of ${JSON.stringify(folders)}) {
      loaded[name + " by address"] = await logitsOf(await loadModel(name + "/model.json"));
      const { weightsManifest } = await (await fetch(name + "/model.json")).json();
      const names = ["model.json", ...weightsManifest.flatMap(({ paths }) => paths)];
      const files = await Promise.all(names.map(async (file) => new File([await bytesAt(name + "/" + file)], file)));
      loaded[name + " by files"] = await logitsOf(await loadModel(files));
    }
    const model = smallNetwork();
    for (const each of model.weights) each.write(tf.zerosLike(each.read()));
    await loadWeights(model, "net.safetensors");
    loaded["net.safetensors by address"] = await logitsOf(model);
    return loaded;
  }
  async function write(model) {
    const root = await navigator.storage.getDirectory();
    const again = {};
    const files = {};
    for (const name of ["net.keras", "net.h5", "net.onnx"]) {
      const [file] = await modelFiles(model, name);
      files[name] = base64(await file.arrayBuffer());
      await saveModel(model, "models/" + name, { into: root });
      const models = await root.getDirectoryHandle("models");
      again[name] = await logitsOf(await loadModel(await models.getFileHandle(name)));
    }
    const { bytes } = await saveModel(model, "models/tfjs", { format: "tfjs", into: root });
    const folder = await (await root.getDirectoryHandle("models")).getDirectoryHandle("tfjs");
    again.tfjs = await logitsOf(await loadModel(folder));
    let size = 0;
    for await (const handle of folder.values()) size += (await handle.getFile()).size;
    if (size !== bytes) throw new Error(size + " bytes were written, but " + bytes + " told");
    return { again, files };
  }
  async function refuse() {
    const results = [];
    for (const name of ${JSON.stringify(damaged)}) {
      try {
        const file = await openWeights(new Uint8Array(await bytesAt(name)));
        for (const tensor of file.tensors) tensor.read();
        results.push([]);
      } catch (error) { results.push([error.name, error.file, error.place]); }
    }
    return results;
  }
  export async function run() {
    await useEngine("wasm", { wasmPath: "/wasm" });
    const model = smallNetwork();
    return {
      loaded: await load(),
      listed: await Promise.all(${JSON.stringify(weightFiles)}.map(async (name) => (await listWeights(name)).weights)),
      own: await logitsOf(model),
      ...(await write(model)),
      refused: await refuse(),
      messages: [
        await message(() => loadModel("nowhere.keras")),
        await message(() => loadModel("tfjs/")),
        await message(async () => loadModel(new File([await bytesAt("tfjs/model.json")], "model.json"))),
        await message(() => loadModel(7)),
        await message(() => saveModel(model, "net.keras")),
        await message(() => modelFiles(model, "net", { format: "savedmodel" })),
        await message(() => convert("a.h5", "b.onnx")),
      ],
    };
  }`;

/** The largest difference of two lists. */
const worst = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? Math.max(...a.map((value, index) => Math.abs(value - b[index]!))) : Infinity;

/** What opening the bytes and reading all of them is refused with: the error's class, the file and the place. */
async function refusal(bytes: Uint8Array): Promise<string[]> {
  try {
    const { tensors } = await openWeights(bytes);
    for (const tensor of tensors) tensor.read();
    return [];
  } catch (error) {
    const { name, file, place } = error as WeightsError;
    return [name, file, place];
  }
}

describe.skipIf(withoutBrowser !== "")(`model files in a page${withoutBrowser}`, () => {
  const files: Record<string, Uint8Array> = {};
  const damaged: Record<string, Uint8Array> = {};
  const inNode = new Map<string, number[]>();
  let got: Got;

  beforeAll(async () => {
    await useEngine("wasm", { threads: 1 });
    const model = smallNetwork();
    for (const [name, options = {}] of written) {
      const made = await modelFiles(model, name, options);
      for (const file of made) {
        const path = made.length === 1 ? `/${name}` : `/${name}/${file.name}`;
        files[path] = new Uint8Array(await file.arrayBuffer());
      }
      inNode.set(name, await logitsOf(await loadModel(made)));
    }
    const [weights] = await modelFiles(model, "net.safetensors");
    files["/net.safetensors"] = new Uint8Array(await weights!.arrayBuffer());
    inNode.set("net.safetensors", await logitsOf(model));
    for (const name of kerasFiles) {
      files[`/${name}`] = await golden(name);
      inNode.set(name, await logitsOf(await loadModel(files[`/${name}`]!)));
    }
    for (const name of weightFiles) files[`/${name}`] = await golden(name);
    for (const name of [...kerasFiles, ...weightFiles, "net.onnx", "net.safetensors"]) {
      const whole = files[`/${name}`]!;
      damaged[`/cut-${name}`] = whole.subarray(0, Math.floor(whole.byteLength * 0.6));
      for (const part of [0.1, 0.3, 0.5, 0.7, 0.9])
        damaged[`/${part}-${name}`] = Uint8Array.from(whole).fill(0xff, whole.length * part, whole.length * part + 6);
    }
    const folders = written.flatMap(([name, options]) => (options === undefined ? [] : [name]));
    const single = [...inNode.keys()].filter((name) => !folders.includes(name) && name !== "net.safetensors");
    got = await runInPage<Got>(program(single, folders, Object.keys(damaged)), { files: { ...files, ...damaged } });
  });

  it("load by address, URL, Blob, File, bytes and the files of a folder, to the logits of Node", () => {
    expect(new Set(Object.keys(got.loaded).map((key) => key.split(" by ")[0]))).toEqual(new Set(inNode.keys()));
    for (const [key, logits] of Object.entries(got.loaded))
      expect(worst(logits, inNode.get(key.split(" by ")[0]!)!), key).toBeLessThan(1e-4);
  });

  it("of PyTorch, NumPy and HDF5 have the weights, with their checksums, that Node lists", async () => {
    const expected = await Promise.all(
      weightFiles.map(async (name) => (await listWeights(files[`/${name}`]!)).weights),
    );
    expect(got.listed).toEqual(expected);
  });

  it("are written in memory and into a page's own folder, and Node loads them", async () => {
    for (const [name, logits] of Object.entries(got.again)) expect(worst(logits, got.own), name).toBeLessThan(1e-5);
    for (const [name, text] of Object.entries(got.files)) {
      const model = await loadModel(new File([Buffer.from(text, "base64")], name));
      expect(worst(await logitsOf(model), got.own), name).toBeLessThan(1e-4);
    }
    expect(worst(got.own, await logitsOf(smallNetwork()))).toBeLessThan(1e-4);
  });

  it("that are damaged are refused where Node refuses them", async () => {
    const expected = await Promise.all(Object.values(damaged).map(refusal));
    const named = (list: readonly (readonly string[])[]): object =>
      Object.fromEntries(Object.keys(damaged).map((name, index) => [name, list[index]]));
    expect(named(got.refused)).toEqual(named(expected));
    expect(expected.filter(([kind]) => kind === "WeightsError").length).toBeGreaterThan(expected.length / 2);
  });

  it("are refused in a sentence where a page lacks what they need", () => {
    expect(got.messages).toEqual([
      expect.stringMatching(/^WeightsError: http.*\/nowhere\.keras: cannot be fetched: the server answers 404/u),
      expect.stringMatching(/^WeightsError: http.*\/tfjs\/: is a folder of a server: name the file in it/u),
      expect.stringMatching(/^WeightsError: model\.json: needs weights\.000\.bin, which was not given/u),
      expect.stringMatching(/^OptionError: loadModel: expected the path of a file or folder, a URL, bytes/u),
      expect.stringMatching(/^WeightsError: net\.keras: cannot be written by its path in a web page: give a folder/u),
      expect.stringMatching(/^WeightsError: net: a SavedModel is written by TensorFlow/u),
      expect.stringMatching(/^WeightsError: convert: works with files of the disk/u),
    ]);
  });
});

it("loads in Node what a server, a Blob, bytes or files give, as it loads the path", async () => {
  await useEngine("wasm", { threads: 1 });
  const folder = await mkdtemp(join(tmpdir(), "convkit-sources-"));
  try {
    const model = smallNetwork();
    await saveModel(model, join(folder, "tfjs"), { format: "tfjs" });
    await saveModel(model, join(folder, "net.keras"));
    const bytes = await readFile(join(folder, "net.keras"));
    const state = await golden("state.pth");
    const expected = await logitsOf(await loadModel(join(folder, "net.keras")));
    const sources = [
      new URL(`file://${folder}/net.keras`),
      new Blob([bytes]),
      bytes,
      Uint8Array.from(bytes).buffer,
      new URL(`data:application/octet-stream;base64,${bytes.toString("base64")}`),
    ];
    for (const source of sources) expect(await logitsOf(await loadModel(source))).toEqual(expected);
    await writeFile(join(folder, "state.pth"), state);
    const opened = await Promise.all([openWeights(join(folder, "state.pth")), openWeights(state)]);
    expect(opened[1]!.tensors.map(({ read }) => read())).toEqual(opened[0]!.tensors.map(({ read }) => read()));
    for (const file of opened) file.close();
    await loadWeights(model, join(folder, "tfjs"));
  } finally {
    await rm(folder, { recursive: true });
  }
});
