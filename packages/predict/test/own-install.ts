import { copyFileSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { useEngine } from "@convkit/engine";
import { installOpenvino, type InstalledOpenvino } from "@convkit/engine/openvino";
import { writeJson } from "@convkit/files";
import { engines } from "@convkit/testing";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, beforeEach } from "vitest";

export const cache = mkdtempSync(path.join(tmpdir(), "convkit-damaged-"));
const before = process.env["CONVKIT_CACHE"];
export let whole: InstalledOpenvino;
export let folder: string;

beforeAll(async () => {
  await useEngine(engines[0] ?? "wasm");
  whole = await installOpenvino();
  folder = path.join(cache, path.basename(whole.folder));
  process.env["CONVKIT_CACHE"] = cache;
});
// Each test begins with a whole install, and with nothing kept.
beforeEach(async () => {
  for (const name of readdirSync(cache)) rmSync(path.join(cache, name), { recursive: true });
  await install({ sizes: true });
});
afterAll(() => {
  if (before === undefined) delete process.env["CONVKIT_CACHE"];
  else process.env["CONVKIT_CACHE"] = before;
  rmSync(cache, { recursive: true, force: true });
});

/** A link, which costs nothing, where both are on one disk. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/** An install in the cache whose file `name`, if it is given, has other content; with its sizes in the manifest or without. */
export async function install({ name, content = "", sizes }: { name?: string; content?: string; sizes: boolean }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const libraries = readdirSync(whole.folder).filter((each) => /\.(so|dylib|dll)/.test(each));
  for (const each of libraries) {
    if (each === name) writeFileSync(path.join(folder, each), content);
    else linkOrCopy(path.join(whole.folder, each), path.join(folder, each));
  }
  const files = Object.fromEntries(libraries.map((each) => [each, statSync(path.join(whole.folder, each)).size]));
  const { version, platform, wheel, library } = whole;
  const manifest = { version, platform, wheel, library: path.basename(library), ...(sizes && { files }) };
  await writeJson(path.join(folder, "openvino.json"), manifest);
}

export const input = { data: Float32Array.of(1, 2, 3), shape: [1, 3] };
/** Two sums of the three inputs. */
export const sums = () =>
  tfl.sequential({ layers: [tfl.layers.dense({ inputShape: [3], units: 2, kernelInitializer: "ones" })] });

export async function ownSums([feed]: readonly {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}[]) {
  const { data, shape } = feed!;
  const values = Float32Array.from({ length: 2 * shape[0]! }, (_, i) => {
    const at = 3 * Math.floor(i / 2);
    return data[at]! + data[at + 1]! + data[at + 2]!;
  });
  return [{ data: values, shape: [shape[0]!, 2] }];
}
