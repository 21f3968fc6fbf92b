import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { availableEngines } from "@convkit/engine";
import { peerPython } from "@convkit/testing";
import { describe, expect, it } from "vitest";
import type { Result } from "../src/results/result.ts";
import { writeResult } from "../src/results/files.ts";
import { result, row } from "./rows.ts";

const bin = process.env["CONVKIT_TEST_COMMAND"]!;
const engines = await availableEngines();

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [bin, ...args], { encoding: "utf8" });
}

describe("convkit-bench", () => {
  it.each([
    [["train/alexnet"], 2, 'There is no case "train/alexnet"; the cases are train/lenet5-b32, '],
    [
      ["--vs", "keras,mxnet"],
      2,
      'There is no peer "mxnet"; the peers are keras, torch, onnxruntime, openvino, tfjs-node.',
    ],
    [["--rounds", "0"], 2, 'Expected a whole number from 1 on, got "0".'],
    [["--nonsense"], 2, "unknown option '--nonsense'"],
    [["list", "--quick"], 2, "unknown option '--quick'"],
    [["train", "--profile", "step.json"], 2, "--profile is of one training or prediction case, and "],
    [["data", "--roofline"], 2, "--roofline is of training and prediction on the CPU, and none was chosen."],
    [["scale", "--batch", "31"], 2, "--workers must be at least 2, and divide --batch: got 2 workers and 31 images."],
    [["compare", "nowhere.json", "nowhere.json"], 1, "nowhere.json is not a benchmark result: "],
    [["readme", "--result", "nowhere.json"], 1, "nowhere.json is not a benchmark result: "],
  ])("%j ends with %d", (args, status, message) => {
    const ended = bench(...args);
    expect(ended.stderr).toContain(message);
    expect(ended).toMatchObject({ status, stdout: "" });
  });

  it("list names the cases and who can do them", () => {
    expect(bench("list")).toMatchObject({ status: 0, stdout: expect.stringMatching(/^train\/lenet5-b32 .*convkit, /) });
  });

  it("list and compare answer in JSON, too", async () => {
    const cases = JSON.parse(bench("list", "--json").stdout) as { name: string }[];
    expect(cases[0]).toMatchObject({ name: "train/lenet5-b32", unit: "ms", quick: true });
    const folder = mkdtempSync(join(tmpdir(), "bench-"));
    try {
      const [before, after] = [
        result([row("train/lenet5-b32", "keras", 4)]),
        result([row("train/lenet5-b32", "keras", 8)]),
      ];
      await writeResult(folder, "before", before);
      await writeResult(folder, "after", after);
      const compared = bench("compare", join(folder, "before.json"), join(folder, "after.json"), "--json");
      expect(JSON.parse(compared.stdout)).toMatchObject({ by: "time", changes: [{ factor: 2, verdict: "slower" }] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.skipIf(peerPython === undefined || !engines.includes("native"))(
    "measures LeNet-5 with the peers, all of which do the same work",
    () => {
      const folder = mkdtempSync(join(tmpdir(), "bench-"));
      try {
        const args = ["predict/lenet5-b1", "--quick", "--vs", "onnxruntime,tfjs-node", "--json", "--out", folder];
        const ended = bench(...args);
        const measured = JSON.parse(ended.stdout) as Result;
        expect(measured).toMatchObject({ complete: true, scope: "selected", rounds: 1 });
        const systems = ["onnxruntime", "tfjs-node", "convkit", "convkit-bf16", "convkit-wasm"];
        expect(measured.rows.map(({ system, status }) => [system, status])).toEqual(
          systems.map((name) => [name, "ok"]),
        );
        for (const row of measured.rows) {
          expect(row.p10).toBeGreaterThan(0);
          expect(row.p10).toBeLessThanOrEqual(row.median!);
          expect(row.ratioToFastestPeer).toBeGreaterThan(0);
        }
        expect(measured.versions).toMatchObject({ tfjs: "4.22.0", onnxruntime: expect.any(String) });
        const names = readdirSync(folder)
          .map((file) => file.replace(/^.*selected/, ""))
          .toSorted();
        expect(names).toEqual(["-dark.svg", ".csv", ".json", ".svg"]);
        expect(
          JSON.parse(
            readFileSync(
              join(
                folder,
                readdirSync(folder).find((file) => file.endsWith(".json"))!,
              ),
              "utf8",
            ),
          ),
        ).toEqual(measured);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
