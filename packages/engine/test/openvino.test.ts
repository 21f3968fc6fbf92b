import { readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";

import { cacheFolder } from "@convkit/files";
import { findOpenvino, installOpenvino, listOpenvino, removeOpenvino } from "../src/openvino/index.ts";
import { isNeeded, openvinoPlatform, openvinoVersion, openvinoWheel } from "../src/openvino/wheels.ts";
import { folderBytes } from "../src/install/cache.ts";
import { fetchWheel } from "../src/install/fetch-wheel.ts";
import { wheelFile } from "../src/install/wheels.ts";
import { temporaryFolder, withEnv } from "./temporary.ts";

const wheel = openvinoWheel(openvinoPlatform());
// Kept from run to run: 59 MB.
const wheels = process.env["CONVKIT_WHEELS"] ?? cacheFolder("wheels");
const name = `openvino-${openvinoVersion}-${openvinoPlatform()}`;

beforeAll(() => fetchWheel(wheel, wheels));

describe("OpenVINO", () => {
  test("installs what the CPU needs, once, is found and listed, and is removed", async () => {
    const cache = await temporaryFolder();
    await withEnv({ CONVKIT_CACHE: cache, CONVKIT_WHEELS: wheels, PATH: "/nowhere" }, async () => {
      const both = await Promise.all([installOpenvino(), installOpenvino()]);
      expect(both[0]).toEqual(both[1]);
      expect(await readdir(cache)).toEqual([name]);
      expect(await folderBytes(path.join(cache, name))).toBeLessThan(110e6);
      const files = await readdir(path.join(cache, name));
      expect(files.filter((file) => /gpu|npu|tensorflow|pytorch|paddle/.test(file))).toEqual([]);
      expect(files).toContain("licenses");
      expect(await findOpenvino()).toEqual(both[0]);
      expect((await listOpenvino()).map(({ version, folder }) => [version, folder])).toEqual([
        [openvinoVersion, path.join(cache, name)],
      ]);
      await cutOff(path.join(cache, name));
      // Offline: what is there is enough.
      await withEnv({ CONVKIT_WHEELS: "/nowhere" }, installOpenvino);
      expect(await removeOpenvino()).toEqual([path.join(cache, name)]);
      expect([await findOpenvino(), await removeOpenvino(), await readdir(cache)]).toEqual([undefined, [], []]);
    });
  });

  /** A library that is cut off is told before it is loaded, which would end the process, and the next install mends it. */
  async function cutOff(folder: string): Promise<void> {
    const file = path.join(folder, "libopenvino_intel_cpu_plugin.so");
    if (process.platform !== "linux" || process.arch !== "x64") return;
    const { size } = await stat(file);
    await truncate(file, 1000);
    const damage = `libopenvino_intel_cpu_plugin.so has 1000 bytes instead of ${size}`;
    expect((await findOpenvino())?.damage).toBe(damage);
    expect((await listOpenvino())[0]?.damage).toBe(damage);
    await installOpenvino();
    expect([(await findOpenvino())?.damage, (await stat(file)).size]).toEqual([undefined, size]);
    await rm(file);
    expect((await findOpenvino())?.damage).toBe("libopenvino_intel_cpu_plugin.so is missing");
    await installOpenvino();
  }

  test("given up leaves nothing, and a changed wheel is refused", async () => {
    const cache = await temporaryFolder();
    const controller = new AbortController();
    await withEnv({ CONVKIT_CACHE: cache, CONVKIT_WHEELS: wheels }, async () => {
      const onProgress = ({ step }: { step: string }) => step === "unpack" && controller.abort();
      await expect(installOpenvino({ signal: controller.signal, onProgress })).rejects.toThrow(/abort/i);
      expect(await readdir(cache)).toEqual([]);
    });
    const damaged = await temporaryFolder();
    const bytes = await readFile(path.join(wheels, wheelFile(wheel)));
    bytes[1000]! ^= 1;
    await writeFile(path.join(damaged, wheelFile(wheel)), bytes);
    await withEnv({ CONVKIT_CACHE: cache, CONVKIT_WHEELS: damaged }, async () => {
      await expect(installOpenvino()).rejects.toThrow(/has sha256 .* so nothing was installed/);
      expect(await readdir(cache)).toEqual([]);
    });
  });

  test("the files that are taken, by the names in the wheels of all platforms", () => {
    const names = [
      "libopenvino.so.2641 libopenvino_c.so.2641 libopenvino_intel_cpu_plugin.so libopenvino_onnx_frontend.so.2641 libtbb.so.12 libhwloc.so.15",
      "libopenvino.2641.dylib libopenvino_c.2641.dylib libopenvino_arm_cpu_plugin.so libtbbbind_2_5.3.dylib libhwloc.dylib",
      "openvino.dll openvino_c.dll openvino_intel_cpu_plugin.dll openvino_ir_frontend.dll tbb12.dll tbbmalloc.dll",
    ].flatMap((line) => line.split(" "));
    expect(names.filter((each) => !isNeeded(`openvino/libs/${each}`))).toEqual([]);
    const others =
      "libopenvino_intel_gpu_plugin.so openvino_intel_npu_compiler.dll openvino.lib tbb12_debug.lib tbb.pc cache.json libopenvino_tensorflow_frontend.so.2641 libopenvino_auto_plugin.so libtbbmalloc_proxy.so.2";
    expect(others.split(" ").filter((each) => isNeeded(`openvino/libs/${each}`))).toEqual([]);
    expect(isNeeded("openvino/tools/openvino.dll")).toBe(false);
  });
});
