// Prints which packages are loaded: by the import of @convkit/predict, and then by a prediction of the ONNX file of the argument.
import { createRequire, register } from "node:module";
import { MessageChannel } from "node:worker_threads";
import { register as registerTypeScript } from "tsx/esm/api";

registerTypeScript();

const { port1, port2 } = new MessageChannel();
const urls = [];
port1.on("message", (url) => urls.push(url));
port1.unref();
const hooks = `
  let port;
  export const initialize = (data) => void (port = data.port);
  export const load = (url, context, next) => (port.postMessage(url), next(url, context));
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`, import.meta.url, {
  data: { port: port2 },
  transferList: [port2],
});

/** The packages of the files that are loaded: ours by the names of their folders. */
async function packages() {
  await new Promise((resolve) => setTimeout(resolve, 50));
  const files = [...urls, ...Object.keys(createRequire(import.meta.url).cache)];
  const names = files.map((file) => {
    const [, other] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? [];
    const [, own] = /\/packages\/([^/]+)\/(?:src|dist)\//.exec(file) ?? [];
    return other ?? (own === undefined ? undefined : `@convkit/${own}`);
  });
  return [...new Set(names)].filter((name) => name !== undefined).toSorted();
}

const { predictor } = await import("@convkit/predict");
const byImport = await packages();
const [, , file, size] = process.argv;
const forward = predictor(file, { runtime: "openvino" });
const { inputs } = await forward.ready();
await forward.predict({ data: new Float32Array(Number(size)), shape: [1, ...inputs[0].shape.slice(1)] });
await forward.dispose();
const byPrediction = await packages();
process.stdout.write(JSON.stringify({ byImport, byPrediction }));
