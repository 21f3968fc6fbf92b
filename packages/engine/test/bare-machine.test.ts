import { writeFile } from "node:fs/promises";
import path from "node:path";

import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

import { availableEngines, doctor, useEngine } from "@convkit/engine";
import { hasPrebuilt } from "../src/install/install.ts";
import { temporaryFolder, withEnv } from "./temporary.ts";

test("auto without an installed TensorFlow takes wasm and says in one line what native would need", async () => {
  await withEnv({ CONVKIT_CACHE: await temporaryFolder() }, async () => {
    expect(await availableEngines()).toEqual(["wasm"]);
    await expect(useEngine("native")).rejects.toThrow(
      'The native engine cannot be used: it is not installed: type "convkit engine install".',
    );
    const notices: string[] = [];
    const engine = await useEngine("auto", { onNotice: (line) => notices.push(line) });
    expect([engine.name, engine.backend, tf.getBackend()]).toEqual(["wasm", "wasm", "wasm"]);
    expect(notices).toEqual([
      'Using the wasm engine. The native engine cannot be used: it is not installed: type "convkit engine install".',
    ]);
    await useEngine("auto", { onNotice: (line) => notices.push(line) });
    expect(notices).toHaveLength(1);
    await expect(useEngine("auto", { install: "yes" as never })).rejects.toThrow(
      'useEngine: expected install to be true or false, got "yes".',
    );
  });
});

test("the doctor names each problem of a bare machine and what to type", async () => {
  const file = path.join(await temporaryFolder(), "a-file");
  await writeFile(file, "");
  await withEnv({ CONVKIT_CACHE: path.join(file, "cache"), PATH: "/nowhere", CXX: undefined }, async () => {
    const { cache, pip, compiler, engines, problems } = await doctor();
    expect([cache.writable, pip, compiler]).toEqual([false, undefined, undefined]);
    expect(engines[1]).toMatchObject({ name: "native", ok: false });
    expect(problems).toEqual([
      {
        problem: `the cache ${path.join(file, "cache")} cannot be written`,
        fix: "set CONVKIT_CACHE to a folder that you may write to",
      },
      {
        problem: 'the native engine does not run: it is not installed: type "convkit engine install"',
        fix: hasPrebuilt() ? "convkit engine install" : "apt install g++, then convkit engine install",
      },
    ]);
  });
});
