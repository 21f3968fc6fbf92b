import { dirname, join } from "node:path";
import type { Draw } from "../draw.ts";
import { command, engine, imagesOf, trainedRun } from "./run-subjects.ts";
import type { Subject } from "./subject.ts";

export const commandSubjects: readonly Subject[] = [
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
