import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readResults, writeResults } from "../src/networks/results.ts";
import { changedStructures } from "../src/networks/structures.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-networks-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("campaigns that write at once lose no result, and the page counts all", async () => {
  const at = { file: join(folder, "networks.json"), page: join(folder, "networks.md") };
  writeFileSync(at.file, '{"timm:old": {"family": "old", "state": "none"}}');
  const names = Array.from({ length: 6 }, (_, i) => `timm:new${i}`);
  await Promise.all(names.map((name) => writeResults({ [name]: { family: "new", state: "equal" } }, at)));
  expect(Object.keys(await readResults(at.file))).toEqual([...names, "timm:old"]);
  expect(readFileSync(at.page, "utf8")).toContain("| **all** | 7 | 6 |");
  expect(readdirSync(folder)).toEqual(["networks.json", "networks.md"]);
});

test("a new network keeps its rivals, and only torchvision's are compared as .onnx files, too", () => {
  const family = "f";
  const peers = {
    "timm:known": { family, kernels: "a" },
    "timm:twin": { family, kernels: "a" },
    "timm:other": { family, kernels: "b" },
    "torchvision:twin": { family, kernels: "a" },
  };
  const known = { "timm:known": { family, state: "equal", rivals: ["ours"] } } as const;
  expect(changedStructures(known, peers, new Map([["a", ["ours"]]]))).toEqual({
    "timm:twin": { family, state: "alike", rivals: ["ours"] },
    "timm:other": { family, state: "none" },
    "torchvision:twin": { family, state: "alike", rivals: ["ours"] },
    "torchvision-onnx:twin": { family, state: "alike" },
  });
});
