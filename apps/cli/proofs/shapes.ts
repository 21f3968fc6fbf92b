// Learns a folder of shapes, drawn here as SVG and written as 180x180 JPEG files, with mini-xception through the whole
// pipeline: files, decoding, training, run directory, evaluation. Writes what came of it to `results/shapes.json`.
//
//     pnpm --filter @convkit/cli prove:shapes
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";

const size = 180;
const classes = ["circle", "square", "star", "triangle"] as const;
const perClass = { train: 160, validation: 20, test: 50 } as const;
// Small batches, and many: the moving statistics of the norms need some 700 steps before they tell the truth.
const training = "--epochs 14 --batch 8 --optimizer adam --lr 0.001 --schedule cosine --precision bfloat16".split(" ");

const bin = fileURLToPath(new URL("../bin/convkit.js", import.meta.url));

/** Numbers from 0 to 1 that follow from a seed (Lehmer's generator). */
function uniform(seed: number): () => number {
  let state = seed % 2_147_483_647 || 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** One shape of any colour, size, place and turn, on a gradient of darker or lighter colours. */
function drawing(kind: (typeof classes)[number], seed: number): string {
  const next = uniform(seed * 7919 + 17);
  for (let i = 0; i < 5; i += 1) next();
  const bright = next() < 0.5;
  const colour = (light: boolean) =>
    `hsl(${Math.round(next() * 360)} ${30 + Math.round(next() * 60)}% ${(light ? 62 : 18) + Math.round(next() * 20)}%)`;
  const radius = 36 + next() * 34;
  const [x, y] = [radius + next() * (size - 2 * radius), radius + next() * (size - 2 * radius)];
  const corners = (count: number, inner: number) =>
    Array.from({ length: count }, (_, i) => {
      const angle = (2 * Math.PI * i) / count;
      const far = i % 2 === 0 ? radius : radius * inner;
      return `${far * Math.sin(angle)},${-far * Math.cos(angle)}`;
    }).join(" ");
  const shapes = {
    circle: `<circle r="${radius}"/>`,
    square: `<polygon points="${corners(4, 1)}"/>`,
    star: `<polygon points="${corners(10, 0.45)}"/>`,
    triangle: `<polygon points="${corners(3, 1)}"/>`,
  };
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">
    <linearGradient id="sky" gradientTransform="rotate(${next() * 90})"><stop stop-color="${colour(!bright)}"/><stop offset="1" stop-color="${colour(!bright)}"/></linearGradient>
    <rect width="${size}" height="${size}" fill="url(#sky)"/>
    <g transform="translate(${x} ${y}) rotate(${next() * 360})" fill="${colour(bright)}">${shapes[kind]}</g>
  </svg>`;
}

async function draw(folder: string): Promise<void> {
  let seed = 1;
  for (const [split, count] of Object.entries(perClass))
    for (const kind of classes) {
      const place = join(folder, split, kind);
      await mkdir(place, { recursive: true });
      for (let i = 0; i < count; i += 1) {
        const jpeg = sharp(Buffer.from(drawing(kind, seed++))).jpeg({ quality: 85 });
        await jpeg.toFile(join(place, `${kind}.${String(i).padStart(4, "0")}.jpg`));
      }
    }
}

const folder = await mkdtemp(join(tmpdir(), "convkit-shapes-"));
try {
  const data = join(folder, "shapes");
  const run = join(folder, "run");
  await draw(data);
  const convkit = [bin, "train", "mini-xception", "--data", data, "--out", run, "--json"];
  const told = JSON.parse(execFileSync(process.execPath, [...convkit, ...training], { encoding: "utf8" })) as {
    epochs: number;
    test: { accuracy: number; images: number };
    seconds: number;
    imagesPerSecond: number;
    timings: Readonly<Record<"first" | "step" | "data", number>>;
  };
  const { environment } = JSON.parse(await readFile(join(run, "config.json"), "utf8")) as { environment: object };
  const { step, data: waits, first } = told.timings;
  const result = {
    images: perClass,
    classes,
    training: training.join(" "),
    accuracy: told.test.accuracy,
    atLeast: 0.95,
    waitingForData: waits / (first + step + waits),
    atMost: 0.05,
    imagesPerSecond: told.imagesPerSecond,
    seconds: told.seconds,
    timings: told.timings,
    machine: { processor: cpus()[0]?.model, threads: cpus().length },
    environment,
  };
  const file = new URL("results/shapes.json", import.meta.url);
  await writeFile(file, `${JSON.stringify(result, undefined, 2)}\n`);
  process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  if (result.accuracy < result.atLeast || result.waitingForData > result.atMost) process.exitCode = 1;
} finally {
  if (process.env["CONVKIT_KEEP"] === undefined) await rm(folder, { recursive: true });
}
