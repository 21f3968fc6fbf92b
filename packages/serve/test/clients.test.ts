import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { useEngine } from "@convkit/engine";
import { engines, peerPython } from "@convkit/testing";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ModelServer, serve } from "../src/index.ts";
import { colorModel, colorScores, sumAndDifference } from "./color-model.ts";

let server: ModelServer;
beforeAll(async () => {
  const runtime = (await useEngine(engines[0] ?? "wasm")).backend === "tensorflow" ? "tensorflow" : "wasm";
  server = await serve(
    { colors: colorModel(), both: sumAndDifference() },
    { port: 0, runtime, maxBatch: 4, drainMs: 0 },
  );
});
afterAll(() => server.close());

/** NVIDIA's client of the Open Inference Protocol: health, metadata, binary and JSON tensors, compression, several outputs. */
const triton = `
import json, sys
import numpy as np
import tritonclient.http as http
client = http.InferenceServerClient(sys.argv[1])
out = {"live": client.is_server_live(), "ready": client.is_server_ready(), "model": client.is_model_ready("colors", "1")}
out["server"] = client.get_server_metadata()["extensions"]
out["inputs"] = client.get_model_metadata("colors")["inputs"]
pixels = np.zeros((3, 6, 8, 3), np.float32)
pixels[0, ..., 0] = 250; pixels[1, ..., 1] = 100; pixels[2, ..., 2] = 30
def colors(values, kind, binary, **options):
    tensor = http.InferInput("image", list(values.shape), kind)
    tensor.set_data_from_numpy(values, binary_data=binary)
    answer = client.infer("colors", [tensor], outputs=[http.InferRequestedOutput("color", binary_data=binary)], request_id="7", **options)
    assert answer.get_response()["id"] == "7"
    return answer.as_numpy("color").tolist()
out["binary"] = colors(pixels, "FP32", True)
out["bytes"] = colors(pixels.astype(np.uint8), "UINT8", True)
out["json"] = colors(pixels, "FP32", False)
out["halves"] = colors(pixels.astype(np.float16), "FP16", True)
files = http.InferInput("image", [2], "BYTES")
files.set_data_from_numpy(np.array([bytes.fromhex(text) for text in sys.argv[2:]], dtype=np.object_))
answer = client.infer("colors", [files], outputs=[http.InferRequestedOutput("color", class_count=1)])
out["classes"] = [text.decode().split(":")[1:] for text in answer.as_numpy("color").flatten()]
out["gzip"] = colors(pixels, "FP32", True, request_compression_algorithm="gzip")
a, b = http.InferInput("a", [2, 3], "FP32"), http.InferInput("b", [2, 3], "FP32")
a.set_data_from_numpy(np.arange(6, dtype=np.float32).reshape(2, 3)); b.set_data_from_numpy(np.ones((2, 3), np.float32))
answer = client.infer("both", [a, b])
out["sum"], out["difference"] = answer.as_numpy("sum").tolist(), answer.as_numpy("difference").tolist()
try:
    client.infer("nothing", [a])
except Exception as error:
    out["error"] = str(error)
print(json.dumps(out))
`;

test.skipIf(peerPython === undefined)("NVIDIA's client for Triton", async () => {
  const python = promisify(execFile);
  const files = await Promise.all(
    ["#00ff00", "#0000ff"].map((background) =>
      sharp({ create: { width: 9, height: 7, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  );
  const hex = files.map((file) => file.toString("hex"));
  const { stdout } = await python(peerPython!, ["-c", triton, server.url.replace("http://", ""), ...hex]);
  const { binary, bytes, json, gzip, halves, ...rest } = JSON.parse(stdout) as Record<string, number[][]>;
  const expected = [[250, 0, 0], [0, 100, 0], [0, 0, 30]].map((color) => colorScores(color)); // prettier-ignore
  for (const found of [binary!, bytes!, json!, gzip!, halves!])
    for (const [row, scores] of expected.entries())
      scores.forEach((score, i) => expect(found[row]![i]).toBeCloseTo(score, 5));
  expect(rest).toEqual({
    live: true,
    ready: true,
    model: true,
    server: ["binary_tensor_data", "classification"],
    classes: [["1", "green"], ["2", "blue"]], // prettier-ignore
    inputs: [{ name: "image", datatype: "FP32", shape: [-1, 6, 8, 3] }],
    sum: [[1, 2, 3], [4, 5, 6]], // prettier-ignore
    difference: [[-1, 0, 1], [2, 3, 4]], // prettier-ignore
    error: expect.stringContaining('There is no model "nothing": the models are colors, both.'),
  });
});
