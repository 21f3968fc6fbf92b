import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundledProgram } from "@convkit/testing/bundled";
import { expect, onTestFinished, test } from "vitest";
import { vulkanEnvironment, withoutVulkan } from "../../../tools/testing/src/vulkan-driver.ts";

interface Told {
  readonly losses?: readonly number[];
  readonly weights?: readonly (readonly number[])[];
  readonly tensors?: readonly number[];
  readonly error?: string;
}

async function trained(
  program: string,
  ...given: readonly [out: string, lostAt: number, resume: boolean]
): Promise<Told> {
  const env = { ...process.env, ...vulkanEnvironment(), NODE_OPTIONS: "" };
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(given)], { env });
  return JSON.parse(stdout) as Told;
}

test.skipIf(withoutVulkan !== "")(
  `a training whose GPU is lost says so, and resumes to the weights of one that never stopped${withoutVulkan}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "convkit-webgpu-"));
    const { file, remove } = await bundledProgram(new URL("workers/webgpu-program.ts", import.meta.url));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
      remove();
    });
    const whole = await trained(file, join(folder, "whole"), 0, false);
    const lost = await trained(file, join(folder, "lost"), 10, false);
    expect(lost.error).toMatch(/^EngineError: The webgpu engine lost its GPU \(.*goes on from its last checkpoint/);
    const resumed = await trained(file, join(folder, "lost"), 0, true);
    expect(resumed.losses).toHaveLength(4);
    for (const [epoch, loss] of resumed.losses!.entries())
      expect(loss, `epoch ${epoch}`).toBeCloseTo(whole.losses![epoch]!, 5);
    for (const [place, weight] of resumed.weights!.flat().entries())
      expect(weight).toBeCloseTo(whole.weights!.flat()[place]!, 5);
    // A step leaves no tensor behind.
    expect(new Set(whole.tensors!.slice(4)).size).toBe(1);
  },
);
