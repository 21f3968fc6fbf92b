import { existsSync, mkdirSync, mkdtempSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeCifar } from "@convkit/datasets";
import { claimRunDirectory } from "@convkit/trainer";
import { beforeAll, describe, expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { call } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "convkit-bad-"));

/** CIFAR-10's files, the last of them with a label that no class has. */
function strayCifar(folder: string): void {
  mkdirSync(folder);
  const parts = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"];
  for (const [i, part] of parts.entries())
    writeFileSync(
      join(folder, `${part}.bin`),
      writeCifar({ images: new Uint8Array(2 * 3072), labels: [3, i === 5 ? 11 : 7] }),
    );
}

describe("data that will not do is refused in one sentence before the first step", () => {
  beforeAll(async () => {
    await colorFolder(join(root, "whole"), ["blue", "red"], 4);
    await colorFolder(join(root, "single"), ["blue"], 4);
    await colorFolder(join(root, "empty"), ["blue", "red"], 2);
    mkdirSync(join(root, "empty", "green"));
    await colorFolder(join(root, "broken"), ["blue", "red"], 2);
    truncateSync(join(root, "broken", "red", "1.jpg"), 200);
    await colorFolder(join(root, "text"), ["blue", "red"], 1);
    for (const name of ["blue", "red"]) writeFileSync(join(root, "text", name, "0.jpg"), "no image");
    strayCifar(join(root, "stray"));
    writeFileSync(join(root, "list.csv"), "path,label\nwhole/blue/0.jpg,blue\nwhole/red/9.jpg,red\n");
  });

  test.each([
    ["an empty class folder", ["empty"], /green holds no images \(\.jpg/],
    ["one class only", ["single"], /has one class only \(blue\)/],
    [
      "a label out of range",
      ["stray"],
      /test_batch\.bin: expected a label from 0 to 9 at byte 3073 \(record 1\), found 11/,
    ],
    ["a file that is cut off", ["broken", "--strict"], /1\.jpg cannot be decoded: /],
    ["files that are no images", ["text"], /has no image that can be read: /],
    ["a list that names a file that is not there", ["list.csv"], /9\.jpg/],
    [
      "a validation split that leaves nothing",
      ["whole", "--validation", "0.01"],
      /would leave nothing in it; expected a share/,
    ],
    [
      "a validation split that takes all",
      ["whole", "--validation", "8"],
      /would leave nothing beside it; expected a share/,
    ],
    ["other classes than asked for", ["whole", "--classes", "3"], /has 2 classes but residual-stack has 3 outputs/],
    ["images of another kind than the network's", ["mnist"], /has images of 28x28x1 but residual-stack takes 16x16x3/],
  ])("%s", async (_title, [name, ...args], message) => {
    const out = join(root, `run-${name}-${args.join("")}`);
    const data = name === "mnist" ? name : join(root, name!);
    const said = await call("train", "residual-stack", "--data", data, "--input", "16x16x3", ...args, "--out", out);
    expect(said.err).toMatch(message);
    const told = said.err
      .trim()
      .split("\n")
      .filter((line) => line.startsWith("convkit: "));
    expect([said.status, told.length, said.out]).toEqual([1, 1, ""]);
    expect(existsSync(join(out, "history.csv"))).toBe(false);
  });

  test("mixed sizes are brought to the network's, and a broken image is left out and listed", async () => {
    const mixed = await colorFolder(join(root, "mixed"), ["blue"], 4, { width: 30, height: 12 });
    await colorFolder(mixed, ["red"], 4);
    writeFileSync(join(mixed, "red", "1.jpg"), "no image");
    const args = ["--input", "16x16x3", "--epochs", "1", "--batch", "4", "--out", join(root, "run-mixed")];
    const { status, err } = await call("train", "residual-stack", "--data", mixed, ...args);
    expect([status, err]).toEqual([0, expect.stringMatching(/left out \S+1\.jpg: /)]);
  });

  test("an image that is broken where only decoding finds it is told, by evaluate too, and fatal with --strict", async () => {
    const broken = await colorFolder(join(root, "late"), ["blue", "red"], 4, { width: 300, height: 300 });
    const file = join(broken, "red", "1.jpg");
    truncateSync(file, 700);
    const out = join(root, "run-late");
    const line = ["train", "residual-stack", "--data", broken, "--input", "16x16x3", "--epochs", "2", "--batch", "1"];
    const trained = await call(...line, "--out", out, "--json");
    expect([trained.status, trained.err.split("left out").length]).toEqual([0, 2]);
    expect(JSON.parse(trained.out)).toMatchObject({ epochs: 2 });
    const judged = await call("evaluate", out, "--data", broken, "--workers", "1", "--json");
    expect(judged.err).toMatch(/left out \S+1\.jpg: /);
    expect(JSON.parse(judged.out)).toMatchObject({ count: 7 });
    const strict = await call("evaluate", out, "--data", broken, "--strict");
    expect([strict.status, strict.err]).toEqual([1, expect.stringMatching(/1\.jpg cannot be decoded: /)]);
  });

  test("a run directory in use", async () => {
    const out = join(root, "used");
    const { release } = await claimRunDirectory(out, { fresh: true });
    const said = await call("train", "residual-stack", "--data", join(root, "whole"), "--out", out);
    await release();
    expect([said.status, said.err]).toEqual([
      1,
      expect.stringMatching(/used is in use by another run \(process \d+\): wait for it, or give another --out\.\n$/),
    ]);
  });
});
