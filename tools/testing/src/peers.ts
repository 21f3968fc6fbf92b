import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "@convkit/files";

/** The Python of the peers' environment (Keras, PyTorch, ONNX Runtime …), made by `pnpm bench setup`; undefined where it is not there. */
export const peerPython: string | undefined = [process.env["CONVKIT_PEERS"], cacheFolder("peers")]
  .filter((folder) => folder !== undefined)
  .map((folder) => join(folder, "bin", "python"))
  .find((file) => existsSync(file));

const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A process that keeps Keras or PyTorch loaded. */
interface Server {
  readonly socket: string;
  readonly pid: number;
}

const servers = new Map<string, Server>();

/**
 * Which process runs a source: torchvision aborts where TensorFlow was imported before it, so that sources that import PyTorch,
 * anywhere in them, have a process of their own.
 */
function familyOf(source: string): string {
  return /^\s*(?:import|from)\b.*\b(?:torch|torchvision|timm)\b/m.test(source) ? "torch" : "keras";
}

/** Starts the server of a family at its first use; it ends with this process. */
function serverOf(python: string, family: string): Server {
  const known = servers.get(family);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), "convkit-python-"));
  const socket = join(folder, "socket");
  const child = spawn(python, [beside("peer-server.py"), socket], {
    stdio: ["pipe", "ignore", "ignore"],
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3", KERAS_BACKEND: "tensorflow", CUDA_VISIBLE_DEVICES: "-1" },
  });
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  const server = { socket, pid: child.pid! };
  servers.set(family, server);
  return server;
}

/** Runs Python source in the peers' environment and returns what it printed; throws with Python's traceback. */
export function runPeer(source: string, args: readonly string[] = []): string {
  if (peerPython === undefined) throw new Error("The peers' Python environment is not there: run `pnpm bench setup`.");
  const { socket, pid } = serverOf(peerPython, familyOf(source));
  return execFileSync(peerPython, ["-S", "-E", beside("peer-client.py"), socket, String(pid), source, ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
}
