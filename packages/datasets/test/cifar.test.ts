import { create } from "tar";
import { describe, expect, it } from "vitest";
import { readArchive } from "../src/formats/tar-archive.ts";
import { parseCifar, readCifar, writeCifar } from "../src/formats/cifar.ts";
import { cifar10, cifar100 } from "../src/published/cifar-set.ts";
import { loadData } from "../src/load.ts";
import { put, temporaryFolder } from "./temporary.ts";

const images = Uint8Array.from({ length: 3 * 3072 }, (_, index) => (index * 7) % 256);
const labels = [3, 5, 9];

describe("CIFAR's binary records", () => {
  it("come back as they were written", async () => {
    const file = put(temporaryFolder(), "data_batch_1.bin", writeCifar({ images, labels }));
    expect(await readCifar(file)).toEqual({ images, labels: Uint8Array.from(labels) });
  });

  it("hold the red, then the green, then the blue plane", () => {
    const record = writeCifar({ images: images.subarray(0, 3072), labels: [4] });
    expect(record).toHaveLength(3073);
    expect([record[0], record[1], record[1 + 1024], record[1 + 2048], record[2]]).toEqual([4, 0, 7, 14, 21]);
  });

  it("of CIFAR-100 have a superclass before the class", () => {
    const bytes = Uint8Array.from([11, 99, ...new Uint8Array(3072)]);
    const { labels: fine, coarse } = parseCifar(bytes, "train.bin", { classes: 100 });
    expect([fine[0], coarse![0]]).toEqual([99, 11]);
  });

  it.each([
    [
      "a truncated record",
      writeCifar({ images, labels }).subarray(0, 7000),
      "x: expected whole records of 3073 bytes, found 854 bytes after record 2 at byte 6146; the file is truncated or not CIFAR-10's",
    ],
    [
      "an empty file",
      new Uint8Array(0),
      "x: expected whole records of 3073 bytes, found 0 bytes after record 0 at byte 0",
    ],
    [
      "a label out of range",
      writeCifar({ images, labels: [1, 10, 2] }),
      "x: expected a label from 0 to 9 at byte 3073 (record 1), found 10",
    ],
  ])("refuse %s", (_, bytes, message) => {
    expect(() => parseCifar(bytes, "x")).toThrow(message);
  });
});

describe("CIFAR's data sets", () => {
  it.each([
    [cifar10, 10],
    [cifar100, 100],
  ])("name their classes ($name)", (set, count) => {
    expect(new Set(set.classes).size).toBe(count);
  });

  it("load from a folder with some of the files", async () => {
    const folder = temporaryFolder();
    put(folder, "data_batch_1.bin", writeCifar({ images, labels }));
    put(folder, "test_batch.bin", writeCifar({ images: images.subarray(0, 3072), labels: [2] }));
    const { train, test } = await loadData(folder);
    expect([train.size, test?.size, train.shape, train.classes[3]]).toEqual([3, 1, [32, 32, 3], "cat"]);
    for await (const batch of train.batches({ batch: 8 })) expect(batch.images).toEqual(images);
  });

  it("load by name from unpacked files in a given folder", async () => {
    const folder = temporaryFolder();
    for (const file of [...cifar10.train, cifar10.test]) {
      put(folder, `cifar-10-batches-bin/${file}`, writeCifar({ images, labels }));
    }
    const { train, test } = await loadData("cifar10", { from: folder, cache: folder });
    expect([train.size, test?.size]).toEqual([15, 3]);
  });

  it("are read out of an archive", async () => {
    const folder = temporaryFolder();
    put(folder, "cifar-10-batches-bin/test_batch.bin", writeCifar({ images, labels }));
    put(folder, "cifar-10-batches-bin/readme.html", "not wanted");
    await create({ gzip: true, cwd: folder, file: `${folder}/c.tar.gz` }, ["cifar-10-batches-bin"]);
    const files = await readArchive(`${folder}/c.tar.gz`, (name) => name.endsWith(".bin"));
    expect([...files.keys()]).toEqual(["test_batch.bin"]);
    expect(parseCifar(files.get("test_batch.bin")!, "x").images).toEqual(images);
  });

  it("refuse an archive that is not the published one", async () => {
    const folder = temporaryFolder();
    put(folder, "cifar-10-binary.tar.gz", "no archive");
    await expect(loadData("cifar10", { from: folder, cache: folder })).rejects.toThrow(
      `${folder}/cifar-10-binary.tar.gz: expected content with sha256 c4a38c50`,
    );
  });

  it("tell where to put the files", async () => {
    const cache = temporaryFolder();
    await expect(loadData("cifar100", { cache })).rejects.toThrow(
      `cifar100 is not on this machine: fetch it with \`convkit data fetch cifar100\`, or put cifar-100-binary.tar.gz (or train.bin, test.bin) into ${cache}/cifar100`,
    );
  });

  it("refuse a damaged archive", async () => {
    const file = put(temporaryFolder(), "c.tar.gz", Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5));
    await expect(readArchive(file, () => true)).rejects.toThrow(
      `${file}: expected a whole tar archive, but unpacking failed`,
    );
  });
});
