import { dirname, join } from "node:path";
import { useEngine } from "@convkit/engine";
import { saveModel } from "@convkit/weights";
import { runCommand } from "../../../../apps/cli/src/program.ts";
import type { Draw } from "../draw.ts";
import { writeImages } from "./images.ts";
import type { Subject } from "./subject.ts";
import { smallModel } from "./weight-subjects.ts";

const { signal } = new AbortController();
const engine = ["--engine", "wasm", "--threads", "1"];

/** Runs a command line; throws what the command throws. */
async function command(...args: readonly string[]): Promise<void> {
  await runCommand(args, signal);
}

/** The images beside a run, which no mutant changes. */
const imagesOf = (folder: string): string => join(dirname(folder), "images");

const beside = (run: string, name: string): string => join(dirname(run), name);

/** The commands that read a run directory. */
const readers: readonly ((run: string) => readonly string[])[] = [
  (run) => ["train", "--resume", run, "--epochs", "2", ...engine],
  (run) => ["predict", run, join(imagesOf(run), "a", "0.bmp"), ...engine],
  (run) => ["evaluate", run, "--data", imagesOf(run), ...engine],
  (run) => ["evaluate", run, "--data", imagesOf(run), "--split", "validation", ...engine],
  (run) => ["compare", run, run, "--out", join(dirname(run), "compared.html")],
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

async function trainedRun(folder: string): Promise<void> {
  await useEngine("wasm", { threads: 1 });
  writeImages(imagesOf(folder), 4);
  const model = join(dirname(folder), "small");
  await saveModel(smallModel(), model, { format: "tfjs", metadata: { classes: ["a", "b"] } });
  const plan = { ema: 0.9, accumulate: 2, earlyStopping: { patience: 3 }, reduceOnPlateau: { patience: 1 } };
  const data = ["--data", imagesOf(folder), "--validation", "0.25"];
  const options = ["--epochs", "1", "--batch", "2", "--plan", JSON.stringify(plan), "--quiet"];
  await command("train", model, ...data, ...options, "--out", folder, ...engine);
}

export const commandSubjects: readonly Subject[] = [
  {
    name: "run",
    writes: true,
    prepare: trainedRun,
    use: (folder, { draw }) => command(...draw.of(...readers)(folder)),
    // A run that is refused is named, or what is wrong in it: its data, its settings.
    names: /./,
  },
  {
    name: "arguments",
    writes: true,
    files: [],
    prepare: trainedRun,
    use: (folder, { draw }) => command(...argumentsOf(folder, draw), ...engine),
    names: /./,
  },
];

/** Nothing here downloads, installs or trains for long. */
function argumentsOf(run: string, draw: Draw): string[] {
  const words = [run, imagesOf(run), join(run, "model"), join(run, "model", "model.json"), "lenet5", ...strange];
  return draw.unit() < 0.7 ? changedLine(run, words, draw) : drawnLine(run, words, draw);
}

/** A command line that works, of which a word or two are others, are left out, or are put in. */
function changedLine(run: string, words: readonly string[], draw: Draw): string[] {
  const [images, out] = [imagesOf(run), join(dirname(run), `out-${draw.int(0, 3)}`)];
  const own = ["--engine", "--threads", "--layers", "--seed", "--json", "--quiet", "--debug"];
  const model = ["--classes", "--pooling", "--weights", "--arch", "--state", "--no-top", "--input", ...own];
  const window = ["--input", "8x8x3", "--kernel", "3", "--stride", "2"];
  const [line, others] = draw.of<readonly [readonly string[], readonly string[]]>(
    [["summary", run], model],
    [
      ["evaluate", run, "--data", images, "--split", "train"],
      ["--limit", "--batch", "--tta", "--csv", "--strict", ...model],
    ],
    [
      ["predict", run, join(images, "a", "0.bmp")],
      ["--top", "--batch", "--runtime", "--precision", "--csv", ...model],
    ],
    [
      ["convert", run, `${out}.keras`],
      ["--to", "--quantize", "--stock", "--keras2", "--verify", ...model],
    ],
    [["compare", run, run, "--out", `${out}.html`], own],
    [
      ["explain", "conv", ...window],
      ["--padding", "--dilation", "--filters", ...own],
    ],
    [["explain", "params", run], model],
    [
      ["data", "preview", images, "--out", `${out}.png`],
      ["--plan", "--limit", "--size", ...own],
    ],
    [
      ["data", "subset", images, out, "--train", "0:1", "--test", "1:2"],
      ["--validation", ...own],
    ],
    [
      ["data", "shard", images, out],
      ["--images", "--bytes", "--gzip", "--in-order", "--validation", "--stratify", "--class-names", ...own],
    ],
    [
      ["data", "audit", images, "--out", `${out}.html`],
      ["--csv", "--model", "--pictures", "--dark", "--contrast", "--distance", ...own],
    ],
    [
      ["draw", run, `${out}.svg`],
      ["--depth", "--open", "--fold", "--no-repeats", "--direction", "--width", "--theme", ...own],
    ],
    [
      ["inspect", run, join(images, "a", "0.bmp"), "--steps", "1", "--out", `${out}.html`],
      ["--top", "--layer", ...model],
    ],
    [
      ["lr-find", run, "--data", images, "--steps", "2"],
      ["--from", "--to", "--optimizer", "--batch", "--preprocessing", ...model],
    ],
    [
      ["check", run, "--data", images, "--steps", "2"],
      ["--lr", "--batch", "--preprocessing", "--out", ...model],
    ],
    // The epochs are not among the words that change.
    [["train", join(run, "model"), "--data", images, "--batch", "2", "--out", out], trainOptions],
  );
  const changed = [...line];
  for (let left = draw.int(1, 2); left > 0; left--) {
    const place = draw.int(1, changed.length - 1);
    const word = draw.of(...words, ...values, out);
    const kind = draw.int(0, 4);
    if (kind === 0) changed.splice(place, 1);
    else if (kind === 1) changed.splice(place, 1, word);
    else changed.push(draw.of(...others), ...(draw.unit() < 0.8 ? [word] : []));
  }
  return line[0] === "train" ? [...changed, "--epochs", "1"] : changed;
}

const trainOptions =
  "--validation --limit --plan --optimizer --lr --schedule --patience --precision --keep-best --workers --strict --freeze --classes --input --weights --arch --pooling --deterministic --seed --layers --webhook".split(
    " ",
  );

/** A command line of words that belong together now and then. */
function drawnLine(run: string, words: readonly string[], draw: Draw): string[] {
  const out = join(dirname(run), `out-${draw.int(0, 3)}`);
  const line = [...draw.of<string[]>(...commands)];
  for (let left = draw.int(0, 3); left > 0; left--) line.push(draw.of(...words));
  for (let left = draw.int(0, 3); left > 0; left--) {
    line.push(draw.of(...options));
    if (draw.unit() < 0.8) line.push(draw.of(...words, ...values, out));
  }
  return draw.unit() < 0.1 ? line.toSorted(() => draw.unit() - 0.5) : line;
}

const commands: readonly string[][] = [
  ["list"],
  ["summary"],
  ["evaluate"],
  ["predict"],
  ["run"],
  ["convert"],
  ["compare"],
  ["train"],
  ["explain"],
  ["explain", "conv"],
  ["explain", "pool"],
  ["explain", "params"],
  ["explain", "receptive-field"],
  ["data"],
  ["data", "list"],
  ["data", "preview"],
  ["data", "subset"],
  ["nothing"],
  [],
];

const options: readonly string[] =
  "--data --split --top --batch --csv --input --output --to --verify --classes --arch --weights --pooling --no-top --aux --limit --validation --plan --epochs --optimizer --lr --schedule --patience --precision --resume --keep-best --workers --freeze --seed --size --kernel --stride --padding --dilation --out --json --quiet --tta --strict --recipes --help --version --unknown -x -- - --train --test --runtime --window".split(
    " ",
  );

const values: readonly string[] = [
  "0",
  "1",
  "2",
  "-1",
  "1e9",
  "1e309",
  "NaN",
  "0x10",
  "1.5",
  "224x224x3",
  "8x8x3",
  "8x8",
  "1x1x1",
  "x",
  "0:2",
  "1:",
  "avg",
  "tfjs",
  "savedmodel",
  "cosine:warmup=5",
  "step:at=1;2",
  "adam",
  "validation",
  "train",
  "{}",
  "[]",
  '{"ema":2}',
  '{"loss":"focal"}',
  '{"__proto__":{"ema":1}}',
  '{"augment":{"flip":1}}',
  '{"schedule":{"name":"step","at":[null]}}',
];

const strange: readonly string[] = [
  "",
  " ",
  ".",
  "..",
  "/dev/null",
  "/proc/none/x",
  "no-such-file",
  "\u001b[31mred",
  "a\u0000b",
  "x".repeat(5_000),
  "한글",
  "🐱",
  "e\u0301",
  "__proto__",
  "constructor",
  "%s%n",
  "$(id)",
  "'; --",
  "-0",
  "../../etc/passwd",
  "file:///etc",
];
