import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";

import { cacheFolder, finalName } from "@convkit/files";
import { installEngine, type InstallProgress } from "@convkit/engine";
import { folderBytes } from "../src/install/cache.ts";
import { hasPrebuilt } from "../src/install/install.ts";
import { fetchWheel } from "../src/install/fetch-wheel.ts";
import { platformOf } from "../src/machine/platform.ts";
import { wheelFile, wheelsOf, type Wheel } from "../src/install/wheels.ts";
import { startProgram } from "./program.ts";
import { temporaryFolder, withEnv } from "./temporary.ts";

const [wheel] = wheelsOf("native", platformOf()) as [Wheel];
// Kept from run to run: 274 MB.
const wheels = process.env["CONVKIT_WHEELS"] ?? cacheFolder("wheels");

beforeAll(async () => {
  const told: number[] = [];
  await fetchWheel(wheel, wheels, { onBytes: (bytes, total) => told.push(bytes / total) });
  expect(told).toEqual(told.toSorted((a, b) => a - b));
});

describe("an install", () => {
  test("that is killed leaves no engine; the next two wait for the lock, and one of them installs", async () => {
    const cache = await temporaryFolder();
    const env = { CONVKIT_CACHE: cache, CONVKIT_WHEELS: wheels };
    const killed = startProgram("install", { env });
    await killed.until(/^unpack/m);
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect((await readdir(cache)).map((name) => finalName(name) ?? name).toSorted()).toEqual([
      ".install-native.lock",
      `engine-native-tensorflow-2.21.0-${platformOf()}`,
    ]);

    const results = await Promise.all([1, 2].map(() => startProgram("install", { env }).ended));
    expect(results.map(({ code, errors }) => [code, errors])).toEqual([
      [0, ""],
      [0, ""],
    ]);
    const outputs = results.map(({ output }) => output);
    // With a prebuilt addon nothing is compiled.
    expect(outputs.filter((output) => output.includes("compile:"))).toHaveLength(hasPrebuilt() ? 0 : 1);
    expect(outputs.some((output) => output.startsWith("wait: Another install is at work"))).toBe(true);
    expect(await readdir(cache)).toEqual([`engine-native-tensorflow-2.21.0-${platformOf()}`]);
    expect(await folderBytes(cache)).toBeLessThan(900e6);

    // Offline, without pip, npm or a compiler: what is there is enough.
    const again = await startProgram("install", { env: { ...env, CONVKIT_WHEELS: "/nowhere", PATH: "/nowhere" } })
      .ended;
    expect([again.code, again.output.split("\n")[0]]).toEqual([
      0,
      `done: TensorFlow 2.21.0 is ready in ${path.join(cache, `engine-native-tensorflow-2.21.0-${platformOf()}`)}`,
    ]);
    const trained = await startProgram("train", { env: { ...env, ENGINE: "native", PATH: "/nowhere" } }).ended;
    expect([trained.code, trained.errors]).toEqual([0, ""]);
  });

  test("that is given up leaves nothing", async () => {
    const cache = await temporaryFolder();
    const controller = new AbortController();
    const onProgress = ({ step }: InstallProgress) => {
      if (step === "unpack") setTimeout(() => controller.abort(), 200);
    };
    await withEnv({ CONVKIT_CACHE: cache, CONVKIT_WHEELS: wheels }, async () => {
      await expect(installEngine({ signal: controller.signal, onProgress })).rejects.toThrow(/abort/i);
    });
    expect(await readdir(cache)).toEqual([]);
  });

  test.skipIf(hasPrebuilt())("without a compiler says so before it downloads", async () => {
    const cache = await temporaryFolder();
    await withEnv({ CONVKIT_CACHE: cache, CONVKIT_WHEELS: undefined, PATH: "/nowhere", CXX: undefined }, async () => {
      await expect(installEngine()).rejects.toThrow("No C++ compiler");
    });
    expect(await readdir(cache)).toEqual([]);
  });

  test("of a damaged wheel installs nothing", async () => {
    const cache = await temporaryFolder();
    const damaged = await temporaryFolder();
    await writeFile(path.join(damaged, wheelFile(wheel)), "damaged");
    await withEnv({ CONVKIT_CACHE: cache, CONVKIT_WHEELS: damaged }, async () => {
      await expect(installEngine()).rejects.toThrow(`expected ${wheel.sha256}`);
    });
    expect(await readdir(cache)).toEqual([]);
  });
});
