import { fromArrays, splitOff } from "@convkit/datasets";
import { type EpochLogs, evaluate, train } from "@convkit/trainer";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { Taught, TrainingJob, TrainingReport } from "./compute.ts";
import { headOnFeatures } from "./head-on-features.ts";
import type { Pictures, Tell } from "./lesson.ts";
import { squarePixels } from "./pictures.ts";
import { smallNetwork } from "./small-network.ts";

const networks = { small: smallNetwork, "mobilenet-v2": headOnFeatures };

/** A fifth of the pictures is kept for validation where each class has this many. */
const leastForValidation = 5;
const batch = 16;
const seed = 1;

/** Teaches the job's network. Once epochs run, a stop keeps what was learned. Throws where a class has no picture that can be read. */
export async function teach(
  job: TrainingJob,
  report: (report: TrainingReport) => void,
  signal: AbortSignal,
): Promise<{ readonly model: LayersModel; readonly result: Taught }> {
  const history: EpochLogs[] = [];
  const tell: Tell = (doing, share) => report({ doing, share, history: [...history] });
  const { size, prepare } = networks[job.network];
  const { skipped, ...pictures } = await readPictures(job, size, tell, signal);
  const { model, data, validation, options, whole } = await prepare(job, pictures, tell, signal);
  const { epochs, learningRate } = job;
  const { stopReason } = await train({
    ...options,
    model,
    data,
    validation,
    epochs,
    batch,
    seed,
    optimizer: { name: "adam", learningRate },
    progress: false,
    signal,
    callbacks: [
      {
        async onTrainBatchEnd(step, { epoch }, { stepsPerEpoch }) {
          tell(`Epoch ${epoch} of ${epochs}`, (epoch - 1 + step / stepsPerEpoch) / epochs);
          // Lets a stop come in between.
          await new Promise((resolve) => setTimeout(resolve));
        },
        onEpochEnd(epoch, logs) {
          history.push(logs);
          tell(`Epoch ${epoch} of ${epochs}`, epoch / epochs);
        },
      },
    ],
  });
  const { preprocessing } = options;
  const evaluation = await evaluate(model, validation ?? data, { preprocessing, batch });
  const judged = validation === undefined ? "all" : "validation";
  const { classes } = pictures.data;
  const result = { classes, network: job.network, history, evaluation, judged, skipped, stopReason } as const;
  return { model: whole(), result };
}

async function readPictures(
  { classes }: TrainingJob,
  size: number,
  tell: Tell,
  signal: AbortSignal,
): Promise<Pictures & { readonly skipped: readonly string[] }> {
  const all = classes.flatMap(({ name, pictures }, label) => pictures.map((picture) => ({ picture, label, name })));
  const pixels: Uint8Array[] = [];
  const labels: number[] = [];
  const skipped: string[] = [];
  for (const [index, { picture, label, name }] of all.entries()) {
    signal.throwIfAborted();
    tell(`Reading picture ${index + 1} of ${all.length}`, index / all.length);
    try {
      const { data } = await squarePixels(picture, size);
      pixels.push(data);
      labels.push(label);
    } catch (error) {
      skipped.push(`${picture instanceof File ? picture.name : "A picture"} (${name}): ${(error as Error).message}`);
    }
  }
  const counts = classes.map((_, label) => labels.filter((each) => each === label).length);
  const empty = classes.find((_, label) => counts[label] === 0);
  if (empty !== undefined) throw new Error(`The class ${empty.name} has no picture that can be read: add some to it.`);
  const images = new Uint8Array(pixels.length * size * size * 3);
  for (const [index, each] of pixels.entries()) images.set(each, index * each.length);
  const names = classes.map(({ name }) => name);
  const data = fromArrays({ images, shape: [size, size, 3], labels, classes: names, name: "your pictures" });
  if (Math.min(...counts) < leastForValidation) return { data, validation: undefined, skipped };
  const [rest, validation] = splitOff(data, 0.2, { seed, stratify: true });
  return { data: rest, validation, skipped };
}
