import { fileURLToPath } from "node:url";
import { postRequest } from "./load.ts";

/** What a request carries: a JPEG file, float32 numbers as bytes, or the same numbers as JSON. */
export const bodies = ["jpeg", "binary", "json"] as const;
export type Body = (typeof bodies)[number];

/** The networks that are served, with the sizes of their images. */
export const servedNetworks = {
  lenet5: [28, 28, 1],
  "mobilenet-v2": [224, 224, 3],
  resnet50: [224, 224, 3],
} as const satisfies Record<string, readonly [number, number, number]>;
export type ServedNetwork = keyof typeof servedNetworks;

/** The content of the requests of a network. */
export interface Content {
  readonly jpeg: Buffer;
  readonly pixels: Float32Array;
  readonly shape: readonly number[];
}

/** A server of one network. */
export interface ServingSystem {
  /** True if it answers with the numbers of the ONNX file, which are compared. */
  readonly hasSameWeights: boolean;
  command(start: {
    readonly network: ServedNetwork;
    readonly onnx: string;
    readonly port: number;
    readonly threads: number;
    readonly python: string | undefined;
    /** More options of convkit's server. */
    readonly more: readonly string[];
  }): readonly string[] | undefined;
  request(body: Body, content: Content): Buffer;
  /** The probabilities in the answer to a tensor. */
  scores(body: Body, answer: Buffer): readonly number[];
}

const convkit = fileURLToPath(new URL("../../../cli/bin/convkit.js", import.meta.url));
const peer = fileURLToPath(new URL("../../python/serving_peer.py", import.meta.url));

/** `[n, h, w, c]` as JSON. */
function instances({ pixels, shape: [h = 1, w = 1, c = 1] }: Content): string {
  const row = (y: number) =>
    Array.from({ length: w }, (_, x) => [...pixels.subarray((y * w + x) * c, (y * w + x + 1) * c)]);
  return JSON.stringify({ instances: [Array.from({ length: h }, (_, y) => row(y))] });
}

function bytesOf({ pixels }: Content): Uint8Array {
  return new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
}

const predictions = (_body: Body, answer: Buffer): readonly number[] =>
  (JSON.parse(answer.toString()) as { predictions: number[][] }).predictions[0]!;

function pythonPeer(system: string, hasSameWeights: boolean): ServingSystem {
  return {
    hasSameWeights,
    command: ({ network, onnx, port, threads, python }) =>
      python === undefined ? undefined : [python, peer, system, network, onnx, String(port), String(threads)],
    request(body, content) {
      if (body === "json") return postRequest("/json", "application/json", Buffer.from(instances(content)));
      const bytes = body === "jpeg" ? content.jpeg : bytesOf(content);
      if (system !== "litserve") return postRequest(`/${body}`, "application/octet-stream", bytes);
      const base64 = Buffer.from(bytes).toString("base64");
      return postRequest(`/${body}`, "application/json", Buffer.from(JSON.stringify({ base64 })));
    },
    scores: predictions,
  };
}

/** The servers side by side. OpenVINO Model Server is no package of PyPI, so it is not here. */
export const servingSystems = {
  convkit: {
    hasSameWeights: true,
    command: ({ onnx, port, threads, more }) => [
      process.execPath,
      convkit,
      "serve",
      `net=${onnx}`,
      "--port",
      String(port),
      "--threads",
      String(threads),
      "--quiet",
      ...more,
    ],
    request(body, content) {
      if (body === "json")
        return postRequest("/v1/models/net:predict", "application/json", Buffer.from(instances(content)));
      if (body === "jpeg") return postRequest("/classify/net", "image/jpeg", content.jpeg);
      // Triton's request without JSON: the only input.
      const raw = ["Inference-Header-Content-Length: 0"];
      return postRequest("/v2/models/net/infer", "application/octet-stream", bytesOf(content), raw);
    },
    scores(body, answer) {
      if (body !== "binary") return predictions(body, answer);
      const head = answer.indexOf("}]}") + 3;
      return Array.from({ length: (answer.length - head) / 4 }, (_, i) => answer.readFloatLE(head + 4 * i));
    },
  },
  "fastapi-onnxruntime": pythonPeer("fastapi-onnxruntime", true),
  "fastapi-torch": pythonPeer("fastapi-torch", false),
  litserve: pythonPeer("litserve", true),
} as const satisfies Record<string, ServingSystem>;
export type ServingName = keyof typeof servingSystems;
