import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { writeJson } from "@convkit/files";
import { onnxBytes } from "@convkit/weights";
import { expect, test } from "vitest";
import { choiceFile, chooseRuntime } from "../src/choose-runtime.ts";
import { predictor } from "../src/index.ts";
import { refusedRuntimes } from "../src/refused-runtimes.ts";
import { runtimeVersion } from "../src/runtimes/runtime.ts";
import { folder, input, install, ownSums, sums, whole } from "./own-install.ts";

// A process loads OpenVINO once, and then no library in its place is tried: this test has a file, and so a process, of its own.
test("auto goes on without a damaged OpenVINO, which is told and can be mended while the program runs", async () => {
  const plugin = readdirSync(whole.folder).find((name) => /cpu_plugin/.test(name))!;
  await install({ name: plugin, content: "cut off", sizes: true });
  const size = statSync(path.join(whole.folder, plugin)).size;
  const told = `OpenVINO in ${folder} is damaged (${plugin} has 7 bytes instead of ${size}): "convkit engine install --predict" replaces it`;
  const auto = predictor(sums(), { runtime: "auto" });
  expect([...(await auto.predict(input)).data]).toEqual([6, 6]);
  expect(auto.describe()!.runtime).not.toBe("openvino");
  expect(auto.describe()!.trials[0]).toMatchObject({ runtime: "openvino", reason: told });
  expect(refusedRuntimes(auto.describe()!)).toEqual([`The runtime openvino was not taken: ${told}.`]);
  await auto.dispose();
  await expect(predictor(sums(), { runtime: "openvino" }).predict(input)).rejects.toThrow(told);

  await install({ name: path.basename(whole.library), content: "no library", sizes: false });
  const question = {
    file: onnxBytes(sums()),
    options: { precision: "float32" as const, threads: undefined },
    feeds: [input],
    own: ownSums,
    among: ["openvino", "onnxruntime"] as const,
  };
  const versions = await Promise.all(question.among.map(runtimeVersion));
  const remembered = await choiceFile(question, versions);
  const trials = question.among.map((runtime, i) => ({ runtime, version: versions[i], difference: 0, ms: i + 1 }));
  await writeJson(remembered, [trials[0]!, { ...trials[1]!, reason: "another was faster" }]);
  const chosen = await chooseRuntime(question);
  expect(chosen.runtime).toBe("onnxruntime");
  expect(chosen.trials[0]!.reason).toMatch(/^OpenVINO in .* does not load \(/);
  await chosen.session!.dispose();

  await install({ sizes: true });
  const mended = predictor(sums(), { runtime: "openvino" });
  expect([...(await mended.predict(input)).data]).toEqual([6, 6]);
  await mended.dispose();
});
