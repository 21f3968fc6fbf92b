import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chain, dense, flatten, network } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { installOpenvino } from "@convkit/engine/openvino";
import { onnxBytes } from "@convkit/weights";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "convkit-imports-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("an import loads neither tfjs nor a runtime, and an ONNX file is predicted without tfjs", async () => {
  await useEngine("wasm");
  await installOpenvino();
  const file = join(folder, "net.onnx");
  writeFileSync(file, onnxBytes(network([4, 4, 1], chain({ flat: flatten(), fc: dense(2) }))));
  const program = fileURLToPath(new URL("programs/list-imports.mjs", import.meta.url));
  const output = execFileSync(process.execPath, [program, file, "16"], { encoding: "utf8" });
  const { byImport, byPrediction } = JSON.parse(output) as Record<string, string[]>;
  const loader = new Set(["tsx", "esbuild"]);
  expect(byImport!.filter((name) => !loader.has(name))).toEqual([
    "@convkit/core",
    "@convkit/errors",
    "@convkit/predict",
    "leven",
  ]);
  expect(byPrediction!.filter((name) => !loader.has(name))).toEqual([
    "@convkit/core",
    "@convkit/engine",
    "@convkit/errors",
    "@convkit/files",
    "@convkit/predict",
    "@convkit/weights",
    expect.stringMatching(/^@koromix\/koffi-/),
    "leven",
  ]);
});
