import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-predict-"));
const [mixed, broken] = [join(folder, "mixed"), join(folder, "broken")];
const bad = join(mixed, "blue", "1.jpg");

/** A network that takes images of any kind and is small. */
const model = ["residual-stack", "--input", "16x16x3", "--batch", "2", "--seed", "1"];

describe("predict on folders", () => {
  beforeAll(async () => {
    await colorFolder(mixed, ["blue", "red"], 3);
    writeFileSync(bad, "no image");
    await colorFolder(broken, ["blue"], 1);
    writeFileSync(join(broken, "blue", "0.jpg"), "no image");
  });

  test("leaves out what cannot be read, and tells it", async () => {
    const csv = join(folder, "all.csv");
    const said = await call("predict", ...model, "--csv", csv, "--json", mixed);
    expect(said.status, said.err).toBe(0);
    expect(JSON.parse(said.out)).toEqual({ written: csv, images: 5 });
    const [head, ...rows] = readFileSync(csv, "utf8").trim().split("\n");
    expect(head).toBe("image,index,label,probability");
    expect(rows.map((row) => row.split(",")[0])).toEqual(
      ["blue/0.jpg", "blue/2.jpg", "red/0.jpg", "red/1.jpg", "red/2.jpg"].map((name) => join(mixed, name)),
    );
    expect(
      said.err
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toEqual([{ event: "note", text: expect.stringContaining(`left out ${bad}: `) }]);
  });

  test.each([
    ["an image that was named", [bad]],
    ["an image of a folder, with --strict", [mixed, "--strict"]],
    ["a folder of which nothing can be read", [broken]],
  ])("%s ends it with one sentence", async (_title, args) => {
    const { status, out, err } = await call("predict", ...model, "--quiet", ...args);
    expect([status, out, err.trim().split("\n").length]).toEqual([1, "", 1]);
    expect(err).toMatch(/^convkit: .*(1\.jpg|holds no image that can be read)/);
  });

  test("of a network with random weights is refused, unless a seed asks for them", async () => {
    const image = join(mixed, "red", "0.jpg");
    const { status, out, err } = await call("predict", "residual-stack", "--input", "16x16x3", image);
    expect([status, out]).toEqual([2, ""]);
    expect(err).toMatch(/residual-stack has random weights.*--weights/);
  });
});
