import { expect, test } from "vitest";

import { useEngine } from "@convkit/engine";
import { vulkanEnvironment, withoutVulkan } from "../../../tools/testing/src/vulkan-driver.ts";
import { startProgram } from "./program.ts";

const environment = vulkanEnvironment();

test.skipIf(withoutVulkan !== "")(`webgpu computes in Node, tells what fails, and ends${withoutVulkan}`, async () => {
  const { code, output, errors } = await startProgram("webgpu", { env: environment }).ended;
  expect(code, errors).toBe(0);
  const told = JSON.parse(output) as Record<string, unknown>;
  expect(told["engine"]).toMatchObject({ name: "webgpu", backend: "webgpu", threads: 1 });
  // The gradient of a sum of two convolutions by ones: how many windows have each pixel, twice.
  expect(told["values"]).toEqual({ product: [11], gradient: [8, 12, 8, 12, 18, 12, 8, 12, 8] });
  expect(told["synchronous"]).toMatch(/^EngineError: The webgpu engine reads tensors asynchronously in Node/);
  expect(told["memory"]).toEqual({ tensors: 0, bytes: 0 });
  expect(told["tooLarge"]).toMatch(/^EngineError: A tensor of \d+ bytes is larger than this GPU takes/);
  expect(told["afterwards"]).toEqual([17]);
  expect(told["refused"]).toMatch(/^EngineError: The GPU refused a command of the webgpu engine \(.*may be wrong/);
  expect(told["lost"]).toMatch(/^EngineError: The webgpu engine lost its GPU \(it was destroyed/);
  expect(told["again"]).toBe(told["lost"]);
  expect(told["page"]).toBe("none");
  const isSoftware = (told["engine"] as { adapter: { isSoftware: boolean } }).adapter.isSoftware;
  expect(told["notices"]).toHaveLength(isSoftware ? 1 : 0);
});

test.skipIf(withoutVulkan !== "")(`webgpu trains in Node with the losses of wasm${withoutVulkan}`, async () => {
  const losses = async (ENGINE: string): Promise<number[]> => {
    const { code, output, errors } = await startProgram("train", { env: { ...environment, ENGINE } }).ended;
    expect(code, errors).toBe(0);
    return (JSON.parse(output) as { losses: number[] }).losses;
  };
  const expected = await losses("wasm");
  for (const [epoch, loss] of (await losses("webgpu")).entries())
    expect(Math.abs(loss - expected[epoch]!), `epoch ${epoch}`).toBeLessThan(1e-4);
});

test("webgpu takes no threads, and auto never takes it", async () => {
  await expect(useEngine("webgpu", { threads: 2 })).rejects.toThrow("takes no number of threads");
  expect((await useEngine("auto")).name).not.toBe("webgpu");
});
