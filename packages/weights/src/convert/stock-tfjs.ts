import * as tf from "@tensorflow/tfjs-core";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Runner } from "../formats/onnx/run.ts";
import { WeightsError } from "../weights-error.ts";

type TfjsFormat = "tfjs" | "tfjs-graph";

/** Runs in a process of its own: stock tfjs, without the layers that this package registers. Reads a request, writes the outputs. */
const program = `
const { readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { modules, path, format, inputs } = JSON.parse(readFileSync(0, "utf8"));
const tf = require(modules.core);
require(modules.backend);
const load = async () => {
  const model = JSON.parse(readFileSync(path, "utf8"));
  const shards = model.weightsManifest.flatMap(({ paths }) => paths.map((name) => readFileSync(join(dirname(path), name))));
  const whole = Buffer.concat(shards);
  const data = whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.length);
  const specs = model.weightsManifest.flatMap(({ weights }) => weights);
  return tf.io.getModelArtifactsForJSON(model, async () => [specs, data]);
};
(async () => {
  await tf.setBackend(modules.name);
  await tf.ready();
  const library = require(modules.library);
  const model = await (format === "tfjs" ? library.loadLayersModel({ load }) : library.loadGraphModel({ load }));
  const given = inputs.map(({ data, shape, dtype }) => {
    const bytes = Buffer.from(data, "base64");
    const Values = dtype === "int32" ? Int32Array : Float32Array;
    return tf.tensor(new Values(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)), shape, dtype);
  });
  const outputs = [model.predict(given.length === 1 ? given[0] : given)].flat().map((y) => {
    const values = Float32Array.from(y.dataSync());
    return { shape: y.shape, data: Buffer.from(values.buffer).toString("base64") };
  });
  process.stdout.write(JSON.stringify(outputs));
})().catch((error) => {
  process.stderr.write(String(error.message));
  process.exit(1);
});
`;

interface Modules {
  readonly core: string;
  readonly backend: string;
  readonly name: "wasm" | "cpu";
  readonly library: string;
}

/** The packages of stock tfjs that run a format; the name of a missing package if they are not installed. */
function modulesFor(format: TfjsFormat): Modules | string {
  const { resolve } = createRequire(import.meta.url);
  const find = (name: string): string | undefined => {
    try {
      return resolve(`@tensorflow/${name}`);
    } catch {
      return undefined;
    }
  };
  const libraryName = format === "tfjs" ? "tfjs-layers" : "tfjs-converter";
  const [core, library, wasm, cpu] = ["tfjs-core", libraryName, "tfjs-backend-wasm", "tfjs-backend-cpu"].map(find);
  const backend = wasm ?? cpu;
  if (core === undefined || library === undefined) return `@tensorflow/${libraryName}`;
  if (backend === undefined) return "@tensorflow/tfjs-backend-wasm";
  return { core, library, backend, name: wasm === undefined ? "cpu" : "wasm" };
}

/** Whether the packages that run a format in stock tfjs are installed. */
export function hasStockTfjs(format: TfjsFormat): boolean {
  return typeof modulesFor(format) !== "string";
}

/** Throws if stock tfjs cannot run a graph model here. */
export function needStockTfjs(path: string): void {
  const found = modulesFor("tfjs-graph");
  if (typeof found === "string")
    throw new WeightsError(
      path,
      "",
      `is verified by running it in stock tfjs, which is not here: npm install ${found}`,
    );
}

/** Opens a folder that was written for tfjs, to run in a process that knows stock tfjs only. */
export function openStockTfjs(path: string, format: TfjsFormat): Runner {
  const modules = modulesFor(format);
  return {
    async run(inputs) {
      const given = inputs.map(({ shape, dtype, dataSync }, index) => {
        const { buffer, byteOffset, byteLength } = dataSync.call(inputs[index]) as Float32Array;
        return { shape, dtype, data: Buffer.from(buffer, byteOffset, byteLength).toString("base64") };
      });
      const request = JSON.stringify({ modules, path: join(path, "model.json"), format, inputs: given });
      const text = await answer(path, request);
      return (JSON.parse(text) as { shape: number[]; data: string }[]).map(({ shape, data }) => {
        const bytes = Buffer.from(data, "base64");
        const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
        return tf.tensor(values, shape, "float32");
      });
    },
    dispose: () => Promise.resolve(),
  };
}

function answer(path: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, ["-e", program], { maxBuffer: 2 ** 30 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new WeightsError(path, "", `stock tfjs cannot run it: ${stderr.trim() || error.message}`));
    });
    child.stdin!.end(request);
  });
}
