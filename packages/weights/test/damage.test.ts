import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memorySource } from "../src/bytes/byte-source.ts";
import { readZip } from "../src/bytes/zip-reader.ts";
import { fletcher32 } from "../src/formats/hdf5/fletcher32.ts";
import { loadModel, saveModel, WeightsError } from "../src/index.ts";
import { openSource } from "../src/load/open-weights.ts";
import { Hdf5File, chunk, chunked, link, node, u, uint8 } from "./hdf5-files.ts";

const golden = (name: string): Buffer => readFileSync(fileURLToPath(new URL(`golden/${name}`, import.meta.url)));

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

/** Reads every tensor, the architecture and the metadata: undefined, or what was thrown. */
async function failure(bytes: Uint8Array): Promise<unknown> {
  try {
    for (const tensor of (await openSource(memorySource(bytes, "damaged"))).tensors) tensor.read();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("one flipped bit in a stored entry of a zip archive", () => {
  it.each(["keras3.keras", "state.pth"])("%s: wherever the content is, it is refused", async (name) => {
    const whole = golden(name);
    const entries = await readZip(memorySource(whole, name));
    let read = 0;
    for (const entry of entries.values()) {
      // PyTorch's notes about the file, and Keras' version and date, are not read.
      if (!/config\.json|metadata\.json|model\.weights\.h5|data\.pkl|data\/\d+$/.test(entry.name)) continue;
      const content = entry.open().read(0, entry.size);
      const start = whole.indexOf(content);
      expect(start).toBeGreaterThan(0);
      for (let place = 0; place < 25; place++) {
        const bit = start * 8 + Math.floor(((place + 0.37) / 25) * content.byteLength * 8);
        const error = await failure(flipped(whole, bit));
        expect(error, `${entry.name}, bit ${bit}`).toBeInstanceOf(WeightsError);
        expect((error as Error).message).toMatch(
          /damaged.* is damaged: expected the CRC-32 [\da-f]{8}, got [\da-f]{8}/,
        );
      }
      read++;
    }
    expect(read).toBeGreaterThanOrEqual(3);
  });
});

describe("HDF5's Fletcher-32", () => {
  const cases = JSON.parse(golden("fletcher32.json").toString()) as {
    kind: string;
    size: number;
    fletcher32: number;
  }[];
  it.each(cases)("of $size bytes ($kind) is HDF5's own", ({ kind, size, fletcher32: expected }) => {
    expect(fletcher32(Uint8Array.from({ length: size }, (_, i) => (kind === "full" ? 255 : 37 * i + 11)))).toBe(
      expected,
    );
  });

  /** A dataset of one chunk with its checksum; also the chunk's place. */
  function checked(): { bytes: Uint8Array; start: number; size: number } {
    const data = Uint8Array.from({ length: 3 }, (_, i) => 37 * i + 11);
    const file = new Hdf5File();
    const start = file.put(data, u(4, cases.find(({ kind, size }) => kind === "mixed" && size === 3)!.fletcher32));
    const tree = file.put(node(1, 0, [chunk(7, [0], start)]));
    const dataset = file.object(...chunked(uint8, [3], [3], tree, [[3]]));
    return { bytes: file.finish(file.object(link("vars", file.object(link("0", dataset))))), start, size: 7 };
  }

  it("is compared for every chunk: any flipped bit is refused", async () => {
    const { bytes, start, size } = checked();
    expect(await failure(bytes)).toBeUndefined();
    for (let bit = start * 8; bit < (start + size) * 8; bit++) {
      const error = await failure(flipped(bytes, bit));
      expect(error, `bit ${bit}`).toBeInstanceOf(WeightsError);
      expect((error as Error).message).toMatch(/a chunk is damaged: expected the Fletcher-32 \d+, got \d+/);
    }
  });
});

describe("a tfjs model", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-damage-"));
  const shard = join(folder, "model", "weights.000.bin");
  let whole: Buffer;
  beforeAll(async () => {
    await useEngine("wasm");
    const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 3, inputShape: [5] })] });
    await saveModel(model, join(folder, "model"), { format: "tfjs" });
    whole = readFileSync(shard);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  interface Document {
    weightsManifest: { paths: string[]; sha256?: string[] }[];
  }
  const file = join(folder, "model", "model.json");
  const change = (edit: (group: Document["weightsManifest"][number]) => void): void => {
    const json = JSON.parse(readFileSync(file, "utf8")) as Document;
    edit(json.weightsManifest[0]!);
    writeFileSync(file, JSON.stringify(json));
  };

  it("states the sha256 of its shard, and tfjs itself loads it", async () => {
    const { weightsManifest } = JSON.parse(readFileSync(file, "utf8")) as Document;
    expect(weightsManifest[0]!.sha256).toEqual([createHash("sha256").update(whole).digest("hex")]);
    const artifacts = await tf.io.browserHTTPRequest("http://model/model.json", {
      fetchFunc: (url: string) =>
        Promise.resolve(new Response(readFileSync(join(folder, "model", url.split("/").at(-1)!)))),
    } as tf.io.LoadOptions).load!();
    const parts = [artifacts.weightData as ArrayBuffer | ArrayBuffer[]].flat();
    expect(Buffer.concat(parts.map((part) => Buffer.from(part))).equals(whole)).toBe(true);
  });

  it("with one flipped bit in its weights is refused", async () => {
    for (let bit = 0; bit < whole.byteLength * 8; bit += 29) {
      writeFileSync(shard, flipped(whole, bit));
      await expect(loadModel(file), `bit ${bit}`).rejects.toThrow(
        /weights\.000\.bin.* is damaged: expected the sha256/,
      );
    }
    writeFileSync(shard, whole);
    (await loadModel(file)).dispose();
  });

  it("whose weights have their sha256 in their name, as convkit's runs once had, is compared with that", async () => {
    const name = `weights-${createHash("sha256").update(whole).digest("hex")}.bin`;
    renameSync(shard, join(folder, "model", name));
    change((group) => {
      delete group.sha256;
      group.paths = [name];
    });
    (await loadModel(file)).dispose();
    writeFileSync(join(folder, "model", name), flipped(whole, 100));
    await expect(loadModel(file)).rejects.toThrow(/is damaged: expected the sha256/);
  });

  it("with a list of hashes that is none is refused", async () => {
    change((group) => (group.sha256 = []));
    await expect(loadModel(file)).rejects.toThrow(/expected a sha256 for each of 1 paths, got \[\]/);
  });
});
