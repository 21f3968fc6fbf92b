import type { io } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A loader of stock tfjs for the folder that a `model.json` stands in. */
export function stockFolder(path: string): io.IOHandler {
  return {
    load: async () => {
      const model = JSON.parse(readFileSync(path, "utf8")) as io.ModelJSON;
      const shards = model.weightsManifest.flatMap(({ paths }) =>
        paths.map((name) => readFileSync(join(dirname(path), name))),
      );
      const whole = Buffer.concat(shards);
      const data = whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.length);
      return tf.io.getModelArtifactsForJSON(model, async () => [
        model.weightsManifest.flatMap(({ weights }) => weights),
        data,
      ]);
    },
  };
}
