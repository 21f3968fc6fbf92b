import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rawPixels } from "@convkit/core";
import { listEngines, useEngine } from "@convkit/engine";
import { findOpenvino } from "@convkit/engine/openvino";
import { createModel } from "@convkit/models";
import { saveModel } from "@convkit/weights";
import { peersPython } from "../commands/peers-environment.ts";
import { quantile } from "../results/statistics.ts";
import { BenchError, UsageError } from "../usage-error.ts";
import { layOutProject, type Project } from "./project.ts";

/** Options of `convkit-bench footprint`. */
export interface FootprintOptions {
  readonly rounds?: number;
  readonly systems?: readonly string[];
  /** False takes the built packages as they are. */
  readonly build?: boolean;
  readonly json?: boolean;
  readonly out?: string;
}

/** What one process needs for its first answer. */
export interface FootprintRow {
  readonly network: string;
  readonly system: FootprintSystem;
  /** Milliseconds from the start of the process to its first answer: the fastest of the rounds, which other work changes least. */
  readonly coldStart?: number;
  /** Milliseconds of processor time until then. */
  readonly cpu?: number;
  /** The largest resident set in MB (10^6 bytes), the median of the rounds. */
  readonly peak?: number;
  /** MB on disk: packages, and what is installed beside them; without Node or Python. */
  readonly installed?: number | undefined;
  readonly note?: string;
}

export const footprintNetworks = { lenet5: "28x28x1", "mobilenet-v2": "224x224x3", resnet50: "224x224x3" } as const;

const own = ["openvino", "onnxruntime", "wasm", "tensorflow"] as const;
const peers = ["onnxruntime-node", "onnxruntime-python", "openvino-python"] as const;
export const footprintSystems = [...own, ...peers];
export type FootprintSystem = (typeof footprintSystems)[number];

const bench = fileURLToPath(new URL("../../", import.meta.url));

/** Cold start, memory and size on disk of a program that predicts once, beside peers. */
export async function footprint(networks: readonly string[], options: FootprintOptions): Promise<void> {
  const known = Object.keys(footprintNetworks);
  const unknown = networks.filter((each) => !known.includes(each));
  if (unknown.length > 0) throw new UsageError(`The networks are ${known.join(", ")}; got ${unknown.join(", ")}.`);
  const systems = footprintSystems.filter((each) => options.systems?.includes(each) ?? true);
  if (systems.length === 0) throw new UsageError(`The systems are ${footprintSystems.join(", ")}.`);
  const folder = mkdtempSync(join(tmpdir(), "convkit-footprint-"));
  try {
    const project = layOutProject(folder, [...forPredictions, "onnxruntime-node"], options.build === false);
    cpSync(join(bench, "programs", "first-answer.mjs"), join(folder, "first-answer.mjs"));
    await useEngine();
    const rows: FootprintRow[] = [];
    for (const network of known.filter((each) => networks.length === 0 || networks.includes(each))) {
      await writeModels(folder, network as keyof typeof footprintNetworks);
      rows.push(...(await rowsOf(project, network as keyof typeof footprintNetworks, systems, options.rounds ?? 3)));
    }
    const result = { loadAverage: loadavg()[0], rows };
    if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(result, undefined, 2)}\n`);
    process.stdout.write(options.json ? `${JSON.stringify(result, undefined, 2)}\n` : footprintTable(rows));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function writeModels(folder: string, network: keyof typeof footprintNetworks): Promise<void> {
  const model = createModel(network, { seed: 1 });
  await saveModel(model, join(folder, `${network}.onnx`), { metadata: { preprocessing: rawPixels } });
  await saveModel(model, join(folder, network), { format: "tfjs", metadata: { preprocessing: rawPixels } });
  model.dispose();
}

interface Answer {
  readonly output: readonly number[];
  readonly peak: number;
  readonly cpu: number;
  readonly ms: number;
}

async function rowsOf(
  project: Project,
  network: keyof typeof footprintNetworks,
  systems: readonly FootprintSystem[],
  rounds: number,
): Promise<FootprintRow[]> {
  const answers = new Map<FootprintSystem, Answer[]>(systems.map((system) => [system, []]));
  const notes = new Map<FootprintSystem, string>();
  // The first round warms the files and the memory of choices; it does not count.
  for (let round = 0; round <= rounds; round++)
    for (const system of systems) {
      if (notes.has(system)) continue;
      try {
        const answer = await answerOf(project.folder, system, network);
        if (round > 0) answers.get(system)!.push(answer);
      } catch (error) {
        notes.set(system, (error as Error).message);
      }
    }
  const first = [...answers.values()].flat()[0];
  return Promise.all(
    systems.map(async (system): Promise<FootprintRow> => {
      const all = answers.get(system)!;
      const note = notes.get(system);
      if (all.length === 0 || note !== undefined) return { network, system, note: note ?? "no answer" };
      const difference = Math.max(...all[0]!.output.map((value, i) => Math.abs(value - first!.output[i]!)));
      if (!(difference < 1e-3)) return { network, system, note: `its outputs differ by ${difference.toPrecision(2)}` };
      return {
        network,
        system,
        coldStart: Math.min(...all.map(({ ms }) => ms)),
        cpu: Math.min(...all.map(({ cpu }) => cpu)),
        peak:
          (quantile(
            all.map(({ peak }) => peak),
            0.5,
          ) *
            1024) /
          1e6,
        installed: await installedSize(project, system),
      };
    }),
  );
}

/** Starts a process and waits for its answer. */
async function answerOf(
  folder: string,
  system: FootprintSystem,
  network: keyof typeof footprintNetworks,
): Promise<Answer> {
  const isPython = system.endsWith("-python");
  const python = isPython ? peersPython() : undefined;
  if (isPython && python === undefined) throw new BenchError("convkit-bench setup was not run");
  const program = isPython ? join(bench, "python", "first_answer.py") : "first-answer.mjs";
  const file = system === "wasm" || system === "tensorflow" ? network : `${network}.onnx`;
  const args = [program, system, file, `1x${footprintNetworks[network]}`];
  const start = performance.now();
  const child = spawn(python ?? process.execPath, args, {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    // The flags of this process, such as a loader, are not a user's.
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  let [out, err] = ["", ""];
  let ms: number | undefined;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    if (out.includes("\n")) ms ??= performance.now() - start;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0 || ms === undefined)
    throw new BenchError(err.split("\n").find((line) => /Error\b/.test(line)) ?? `status ${String(code)}`);
  return { ...(JSON.parse(out.slice(out.lastIndexOf("{"))) as Omit<Answer, "ms">), ms };
}

const forPredictions = ["@convkit/predict", "@tensorflow/tfjs-core", "@tensorflow/tfjs-layers"];
const packages: Readonly<Record<string, readonly string[]>> = {
  openvino: forPredictions,
  onnxruntime: [...forPredictions, "onnxruntime-node"],
  wasm: forPredictions,
  tensorflow: forPredictions,
  "onnxruntime-node": ["onnxruntime-node"],
};

/** MB of what a system needs on disk; undefined where it is not known. */
async function installedSize(project: Project, system: FootprintSystem): Promise<number | undefined> {
  const roots = packages[system];
  if (roots === undefined) return undefined;
  const folders = [...project.packagesOf(roots)];
  if (system === "openvino") folders.push((await findOpenvino())?.folder ?? "");
  if (system === "tensorflow")
    folders.push((await listEngines()).find(({ engine }) => engine === "native")?.folder ?? "");
  return folders.filter(Boolean).reduce((sum, each) => sum + sizeOf(each), 0) / 1e6;
}

/** Bytes of the files below a folder, without the packages inside it and, of ONNX Runtime, without other platforms' libraries. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return sum + statSync(path).size;
    const isOther = /napi-v\d+$/.test(folder) && entry.name !== process.platform;
    const isOtherCpu = /napi-v\d+.[a-z0-9]+$/.test(folder) && entry.name !== process.arch;
    return !entry.isDirectory() || entry.name === "node_modules" || isOther || isOtherCpu ? sum : sum + sizeOf(path);
  }, 0);
}

/** A table in Markdown. */
export function footprintTable(rows: readonly FootprintRow[]): string {
  const shown = (value: number | undefined): string => (value === undefined ? "" : String(Math.round(value)));
  const lines = rows.map(
    ({ network, system, coldStart, cpu, peak, installed, note }) =>
      `| ${network} | ${system} | ${shown(coldStart)} | ${shown(cpu)} | ${shown(peak)} | ${shown(installed)} | ${note ?? ""} |`,
  );
  const head = "| network | system | first answer, ms | processor, ms | peak, MB | on disk, MB | |";
  return `${[head, "|---|---|--:|--:|--:|--:|---|", ...lines].join("\n")}\n`;
}
