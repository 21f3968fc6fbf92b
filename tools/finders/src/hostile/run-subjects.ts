import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { useEngine } from "@convkit/engine";
import { saveModel } from "@convkit/weights";
import { runCommand } from "../../../../apps/cli/src/program.ts";
import { readTfConfig } from "../../../../apps/cli/src/training/tf-config.ts";
import { writeImages, writeTargets } from "./images.ts";
import type { Subject } from "./subject.ts";
import { smallModel } from "./weight-subjects.ts";

const { signal } = new AbortController();

/** The engine of every command: no mutant may wait for another. */
export const engine: readonly string[] = ["--engine", "wasm", "--threads", "1"];

/** Runs a command line; throws what the command throws. */
export async function command(...args: readonly string[]): Promise<void> {
  await runCommand(args, signal);
}

/** The images beside a run, which no mutant changes. */
export const imagesOf = (folder: string): string => join(dirname(folder), "images");

const beside = (folder: string, name: string): string => join(dirname(folder), name);

/** Writes the images and a trained network beside `folder`. */
async function writeParts(folder: string): Promise<string> {
  await useEngine("wasm", { threads: 1 });
  writeImages(imagesOf(folder), 4);
  const model = beside(folder, "small");
  await saveModel(smallModel(), model, { format: "tfjs", metadata: { classes: ["a", "b"] } });
  return model;
}

const short = ["--batch", "2", "--quiet"];
const held = ["--validation", "0.25"];

/** A run directory, with average, accumulation and early stopping. */
export async function trainedRun(folder: string): Promise<void> {
  const model = await writeParts(folder);
  const plan = { ema: 0.9, accumulate: 2, earlyStopping: { patience: 3 }, reduceOnPlateau: { patience: 1 } };
  const data = ["--data", imagesOf(folder), ...held, "--epochs", "1"];
  await command("train", model, ...data, ...short, "--plan", JSON.stringify(plan), "--out", folder, ...engine);
}

/** The commands that read a run directory. */
const readers: readonly ((run: string) => readonly string[])[] = [
  (run) => ["train", "--resume", run, "--epochs", "2", ...engine],
  (run) => ["predict", run, join(imagesOf(run), "a", "0.bmp"), ...engine],
  (run) => ["evaluate", run, "--data", imagesOf(run), ...engine],
  (run) => ["evaluate", run, "--data", imagesOf(run), "--split", "validation", ...engine],
  (run) => ["compare", run, run, "--out", beside(run, "compared.html")],
  (run) => ["summary", run, ...engine],
  (run) => ["explain", "params", run, ...engine],
  (run) => [
    "inspect",
    run,
    join(imagesOf(run), "a", "0.bmp"),
    "--steps",
    "1",
    "--out",
    beside(run, "i.html"),
    ...engine,
  ],
  (run) => ["draw", run, beside(run, "drawn.svg")],
  (run) => ["lr-find", run, "--data", imagesOf(run), "--steps", "2", "--out", beside(run, "rates.svg"), ...engine],
  (run) => ["check", run, "--data", imagesOf(run), "--steps", "2", ...engine],
  (run) => ["calibration", run, "--data", imagesOf(run), "--split", "train", ...engine],
  (run) => ["data", "audit", imagesOf(run), "--model", run, ...engine],
];

/** A run with a teacher, two stages, losses of steps, measured health and several best epochs. */
async function tunedRun(folder: string): Promise<void> {
  const model = await writeParts(folder);
  const how = ["--recipe", "fine-tune", "--head-epochs", "1", "--teacher", model, "--epochs", "1", "--keep-best", "1"];
  const seen = ["--log-steps", "1", "--health", "2", "--plan", JSON.stringify({ swa: { start: 1 } })];
  await command(
    "train",
    model,
    "--data",
    imagesOf(folder),
    ...held,
    ...how,
    ...seen,
    ...short,
    "--out",
    folder,
    ...engine,
  );
}

/** A run whose model tells labels and numbers of images in a CSV file. */
async function targetsRun(folder: string): Promise<void> {
  const model = await writeParts(folder);
  const list = beside(folder, "targets.csv");
  writeTargets(list, 4);
  const data = ["--data", list, "--labels", "kinds", "--numbers", "height", ...held];
  await command("train", model, ...data, "--epochs", "1", ...short, "--out", folder, ...engine);
}

const space = { "optimizer.learningRate": { from: 0.001, to: 0.1, log: true }, batch: [2, 4] };

/** A subject of a folder that a command continues or reads; a sentence of its own may name another of its files. */
function foldersOf(
  name: string,
  prepare: Subject["prepare"],
  ...uses: readonly ((folder: string) => readonly string[])[]
): Subject {
  return {
    name,
    writes: true,
    prepare,
    use: (folder, { draw }) => command(...draw.of(...uses)(folder)),
    names: /./,
  };
}

export const runSubjects: readonly Subject[] = [
  foldersOf("run", trainedRun, ...readers),
  foldersOf(
    "tuned-run",
    tunedRun,
    ...readers,
    (run) => ["health", run],
    (run) => ["quantize", run, beside(run, "small.onnx"), "--data", imagesOf(run), "--split", "train", ...engine],
  ),
  foldersOf(
    "targets-run",
    targetsRun,
    (run) => ["train", "--resume", run, "--epochs", "2", ...engine],
    (run) => ["predict", run, join(imagesOf(run), "a", "0.bmp"), ...engine],
    (run) => [
      "evaluate",
      run,
      "--data",
      beside(run, "targets.csv"),
      "--labels",
      "kinds",
      "--numbers",
      "height",
      ...engine,
    ],
    (run) => ["evaluate", run, "--data", beside(run, "targets.csv"), "--split", "validation", ...engine],
    (run) => ["compare", run, run, "--out", beside(run, "compared.html")],
    (run) => ["summary", run, ...engine],
  ),
  foldersOf(
    "folds",
    async (folder) => {
      const model = await writeParts(folder);
      const data = ["--data", imagesOf(folder), "--folds", "2", "--epochs", "1"];
      await command("train", model, ...data, ...short, "--out", folder, ...engine);
    },
    (run) => ["train", "--resume", run, ...engine],
    (run) => ["train", "--resume", run, "--epochs", "2", ...engine],
    (run) => ["evaluate", join(run, "fold-1"), "--data", imagesOf(run), "--split", "validation", ...engine],
    (run) => ["compare", join(run, "fold-1"), join(run, "fold-2"), "--out", beside(run, "compared.html")],
  ),
  {
    ...foldersOf(
      "search",
      async (folder) => {
        const model = await writeParts(folder);
        const data = ["--data", imagesOf(folder), ...held, "--epochs", "1", "--space", JSON.stringify(space)];
        await command("search", model, ...data, ...short, "--trials", "2", "--out", folder, ...engine);
        // The second trial is left to do.
        const file = join(folder, "search.json");
        const stored = JSON.parse(readFileSync(file, "utf8")) as { readonly done: readonly object[] };
        writeFileSync(file, JSON.stringify({ ...stored, done: stored.done.slice(0, 1) }));
      },
      (run) => ["search", "--resume", run, ...engine],
    ),
    // Errors of a trial are kept in the search, and do not end it.
    files: ["search.json"],
  },
  {
    // The addresses and the place of a worker, as TensorFlow's programs get them in an environment variable.
    name: "tf-config",
    files: ["TF_CONFIG.json"],
    async prepare(folder) {
      mkdirSync(folder, { recursive: true });
      const cluster = { chief: ["10.0.0.1:2222"], worker: ["node-1:2222", "[::1]:65535", "node-2.cluster.local:1"] };
      writeFileSync(join(folder, "TF_CONFIG.json"), JSON.stringify({ cluster, task: { type: "worker", index: 1 } }));
    },
    async use(folder, { file }) {
      const path = join(folder, file);
      readTfConfig(existsSync(path) ? readFileSync(path, "utf8") : undefined);
    },
    names: /TF_CONFIG/,
  },
];
