import { existsSync, readdirSync } from "node:fs";
import process from "node:process";

/** The CUDA devices that the driver shows, found without loading TensorFlow. */
export function cudaDevices(root = "/"): string[] {
  if (process.platform !== "linux") return [];
  const list = (folder: string) => (existsSync(root + folder) ? readdirSync(root + folder) : []);
  const nodes = list("dev").filter((name) => /^nvidia\d+$/.test(name));
  return nodes.length > 0 ? nodes.map((name) => `/dev/${name}`) : list("proc/driver/nvidia/gpus");
}
