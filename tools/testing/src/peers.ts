import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "@convkit/files";

/** The Python of the peers' environment (Keras, PyTorch, ONNX Runtime …), made by `pnpm peers`; undefined where it is not there. */
export const peerPython: string | undefined = [process.env["CONVKIT_PEERS"], cacheFolder("peers")]
  .filter((folder) => folder !== undefined)
  .map((folder) => join(folder, "bin", "python"))
  .find((file) => existsSync(file));

/** Runs Python source in the peers' environment and returns what it printed; throws with Python's traceback. */
export function runPeer(source: string, args: readonly string[] = []): string {
  if (peerPython === undefined) throw new Error("The peers' Python environment is not there: run `pnpm peers`.");
  return execFileSync(peerPython, ["-c", source, ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3", KERAS_BACKEND: "tensorflow", CUDA_VISIBLE_DEVICES: "-1" },
  });
}
