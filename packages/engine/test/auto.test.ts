import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

import { availableEngines, useEngine } from "@convkit/engine";
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
  });
});
