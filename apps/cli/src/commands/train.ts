import type { Context } from "../terminal/context.ts";
import {
  aboveZero,
  choice,
  fromZero,
  flag,
  flagOf,
  offering,
  type OptionOf,
  text,
  type ValuesOf,
  whole,
} from "../terminal/option.ts";
import { trackerServer, webAddress } from "../terminal/parsers.ts";
import { CliError, UsageError } from "../terminal/usage-error.ts";
import { dataNames } from "../inputs/known-names.ts";
import { nameList } from "../inputs/column-list.ts";
import { checkCacheOptions, placeOptions, readingOptions, targetOptions } from "../inputs/data-options.ts";
import { modelOptions, widthsOption } from "../inputs/model-options.ts";
import { preprocessingOption } from "../inputs/preprocessing-option.ts";
import { augmentNames } from "../training/augment-names.ts";
import { endWithParent } from "../training/replica-messages.ts";
import { readTfConfig } from "../training/tf-config.ts";
import { keep, mayChange, notStored } from "../training/train-option.ts";
import { checkForWorkers } from "../training/worker-limits.ts";
import type { WorkerOptions } from "../training/worker-run.ts";
import { globalOptionTable } from "../terminal/global-options.ts";

const { classes, input, aux, weights, state, arch, adaptChannels, top, pooling } = modelOptions;
const url: OptionOf<string> = { value: "<url>", about: "posts every epoch's numbers as JSON", read: webAddress };

const optimizers = async () => (await import("@convkit/trainer")).optimizerNames;
const schedules = async () => (await import("@convkit/trainer")).scheduleNames;

/** Each option states its path in config.json, and whether `--resume` accepts another value. */
export const options = {
  classes: keep("plan.modelOptions.classes", classes),
  input: keep("plan.modelOptions.input", input),
  aux: keep("plan.modelOptions.aux", aux),
  dropPath: keep(
    "plan.modelOptions.dropPath",
    fromZero(
      "<rate>",
      "stochastic depth: the chance that training leaves out the last residual path; earlier ones less",
    ),
  ),
  dropBlock: keep("plan.modelOptions.dropBlock", fromZero("<rate>", "DropBlock in the last two stages of a ResNet")),
  weights: keep("weights", weights, { as: "weights" }),
  state: keep("state", state),
  arch: keep("plan.model", arch),
  adaptChannels: keep("adaptChannels", adaptChannels),
  preprocessing: keep("preprocessingKind", preprocessingOption.preprocessing),
  top: notStored(top),
  pooling: notStored(pooling),
  data: keep("plan.data", offering(text("<name-or-folder>", "images to train on"), dataNames), { as: "data" }),
  labels: keep("plan.columns.labels", targetOptions.labels),
  numbers: keep("plan.columns.numbers", targetOptions.numbers),
  imageField: keep("plan.columns.image", targetOptions.imageField),
  labelField: keep("plan.columns.label", targetOptions.labelField),
  classNames: keep("plan.columns.classes", targetOptions.classNames),
  mask: keep("plan.columns.mask", targetOptions.mask),
  maskClasses: keep("plan.masks.names", targetOptions.maskClasses),
  maskIgnore: keep("plan.masks.ignore", targetOptions.maskIgnore),
  widths: keep("plan.modelOptions.widths", widthsOption),
  metrics: keep("plan.metrics", nameList("what is measured beside the loss, such as auc,f1")),
  dataFrom: keep("dataFrom", placeOptions.dataFrom, { as: "source", keepsPromise: true }),
  outside: keep("outside", placeOptions.outside, { keepsPromise: true }),
  validation: keep("plan.validation", aboveZero("<part>", "images or share of the training data to validate on")),
  folds: keep("folds", whole(2, "<k>", "cross-validation: trains k times, each time validated on another k-th part")),
  stratify: keep("plan.stratify", flag("the same share of each class in images that --validation and --limit draw")),
  sampling: keep("plan.sampling", choice(["balanced"], "<name>", "draws each class equally often in each epoch")),
  augment: keep(
    "plan.augment",
    choice(
      augmentNames,
      "<name>",
      "random changes of the images beside the plan's; imagenet, cifar10, svhn: AutoAugment",
    ),
    { as: "augment" },
  ),
  repeats: keep("plan.repeats", whole(1, "<n>", "each image comes n times in a row, each time augmented anew")),
  validationRuntime: keep(
    "validationRuntime",
    choice(["auto", "openvino", "onnxruntime"], "<name>", "validates a copy of the model in that runtime"),
    { keepsPromise: true },
  ),
  limit: keep("plan.limit", whole(1, "<n>", "at most so many images of each split")),
  quick: keep("quick", flag("the recipe in minutes, on data that installs"), { keepsPromise: true }),
  plan: keep(
    "plan",
    text("<json>", 'the rest of the plan, as in {"loss": {"name": "focal"}, "ema": 0.99}, or @file.json'),
    { as: "parts" },
  ),
  epochs: mayChange("plan.epochs", whole(1, "<n>", "passes over the data")),
  stepsPerEpoch: keep(
    "plan.stepsPerEpoch",
    whole(1, "<n>", "steps of an epoch, after which it validates (default: all images)"),
  ),
  validationSteps: keep(
    "plan.validationSteps",
    whole(1, "<n>", "batches that each validation draws (default: all images)"),
  ),
  batch: keep("plan.batch", whole(1, "<n>", "images a step")),
  optimizer: keep(
    "plan.optimizer",
    offering(
      text(
        "<name>",
        "sgd, momentum, nesterov, adam, adamw, adamax, nadam, rmsprop, adagrad, adadelta, lion, ftrl, lamb, muon",
      ),
      optimizers,
    ),
    {
      as: "optimizer",
    },
  ),
  lr: keep("plan.optimizer.learningRate", aboveZero("<rate>", "learning rate")),
  weightDecay: keep("plan.optimizer.weightDecay", fromZero("<part>", "shrinks weights, but for biases and norms")),
  layerDecay: keep(
    "plan.optimizer.layerDecay",
    aboveZero("<factor>", "factor on the rate from each group of layers to the one before it, as 0.75"),
  ),
  clipNorm: keep("plan.optimizer.globalClipNorm", aboveZero("<norm>", "limits the norm of all gradients together")),
  schedule: keep(
    "plan.schedule",
    offering(
      text("<schedule>", "constant, step, exponential, cosine, polynomial, one-cycle; options as in cosine:warmup=5"),
      schedules,
    ),
    { as: "schedule" },
  ),
  patience: keep(
    "plan.earlyStopping",
    whole(0, "<epochs>", "stops when validation has not improved for so many epochs; 0 for never"),
    { as: "patience" },
  ),
  precision: keep("precision", choice(["float32", "bfloat16", "float16"], "<name>", "of the training step"), {
    keepsPromise: true,
  }),
  deterministic: keep("deterministic", flag("the same to the last bit from run to run, at some cost"), {
    keepsPromise: true,
  }),
  out: keep("folder", text("<folder>", "the run directory"), { as: "folder", keepsPromise: true }),
  resume: notStored(text("<folder>", "continues the run in that directory")),
  keepBest: keep("keepBest", whole(1, "<k>", "keeps checkpoints of the best k epochs besides the newest"), {
    keepsPromise: true,
  }),
  health: keep(
    "health",
    whole(1, "<steps>", "measures gradients, updates and activations every so many steps, for convkit health"),
    { keepsPromise: true },
  ),
  logSteps: keep(
    "logSteps",
    whole(1, "<n>", "writes loss and rate every so many steps to steps.csv, TensorBoard and the tracker"),
    { keepsPromise: true },
  ),
  keepGoing: notStored(flag("goes on where checkpoint, model or history cannot be written, and says so")),
  webhook: notStored(url),
  tracker: notStored({
    value: "<kind=url>",
    about: "sends settings and numbers to a server of MLflow or trackio, as in mlflow=http://localhost:5000",
    read: trackerServer,
  }),
  replicas: notStored(whole(2, "<n>", "trains in so many processes on this machine, which share each batch")),
  restarts: notStored(whole(1, "<k>", "with --replicas, goes on from the last checkpoint if a process is lost")),
  syncBatchNorm: keep(
    "plan.syncBatchNorm",
    flag("batch norm takes its statistics over the images of all workers, not of each"),
  ),
  workerTimeout: notStored(
    aboveZero("<seconds>", "how long one of several workers waits for the others (default: 120)"),
  ),
  wire: notStored(
    choice(["float32", "bfloat16"], "<name>", "of the gradients that several workers send (default: float32)"),
  ),
  workers: notStored(readingOptions.workers),
  cacheDecoded: notStored(readingOptions.cacheDecoded),
  cacheLimit: notStored(readingOptions.cacheLimit),
  strict: notStored(readingOptions.strict),
  teacher: keep(
    "plan.distill.teacher",
    text("<model>", "a trained model whose softened classes are targets beside the labels"),
    {
      as: "teacher",
    },
  ),
  freeze: keep("freeze", flag("trains only the last layer, for a model with a new head")),
  recipe: keep(
    "plan.fineTune",
    choice(["fine-tune"], "<name>", "trains the head, then all with rates that fall to the stem; norms keep still"),
    { as: "recipe" },
  ),
  headEpochs: keep("plan.fineTune.headEpochs", whole(0, "<n>", "epochs of the head alone with --recipe fine-tune")),
};

/** The global options that a run stores. */
const runOptions = {
  ...options,
  seed: keep("seed", globalOptionTable.seed, { keepsPromise: true }),
  threads: mayChange("threads", globalOptionTable.threads, { keepsPromise: true }),
};

/** The step that runs, the checkpoint and the model. */
export const savesFirst = true;

/** `convkit train`: trains a recipe or a network into a run directory, in one process or in several. */
export async function run(context: Context, given: ValuesOf<typeof options>, name: string | undefined): Promise<void> {
  const { resultDocument, resultText, writeResult } = await import("../training/finish-run.ts");
  const { defaultFolder, newConfig, resumedConfig } = await import("../training/run-config.ts");
  const { crossValidate } = await import("../training/cross-validation.ts");
  const { throwIfOtherInterrupted, trainBeside, trainRun } = await import("../training/train-run.ts");
  const { promises } = await import("../training/promise.ts");
  const { userPath } = await import("../inputs/user-path.ts");
  const { amongWorkers } = await import("../training/worker-run.ts");
  context.signal.throwIfAborted();
  const { seed, threads, engine } = context.options;
  const all = { table: runOptions, given: { ...given, seed, threads } };
  const resumed = given.resume === undefined ? undefined : userPath(given.resume);
  const { workers, strict, cacheDecoded, cacheLimit, keepGoing, webhook, tracker } = given;
  checkCacheOptions(given);
  const worker = workerOptions(given);
  const isResumed = resumed !== undefined;
  const reading = { workers, strict, cacheDecoded, cacheLimit };
  const shared = { isResumed, ...reading, keepGoing, webhook, tracker, worker };
  // The chief gives the settings of a resumed run to the others, which may not see its disk.
  if (isResumed && worker !== undefined && worker.seat.rank > 0)
    return amongWorkers(() => trainBeside(context, undefined, { ...shared, folder: resumed }));
  const config = isResumed ? await resumedConfig(resumed, name, all) : newConfig(name, all);
  const folder = resumed ?? (given.out === undefined ? defaultFolder(config.name) : userPath(given.out));
  const place = { ...shared, folder };
  const { replicas } = given;
  if (worker !== undefined || replicas !== undefined) checkForWorkers(config, engine);
  if (replicas !== undefined) {
    const { trainReplicas } = await import("../training/replicas.ts");
    return trainReplicas(context, { ...given, replicas, threads, folder, isResumed });
  }
  if (worker !== undefined && worker.seat.rank > 0) return amongWorkers(() => trainBeside(context, config, place));
  if (config.folds !== undefined) return crossValidate(context, config, place);
  const trained = () =>
    trainRun(context, config, place, async (ended) => {
      await writeResult(ended);
      context.out.result(resultDocument(ended), resultText(ended));
      const { result } = ended;
      if (result.diverged) throw new CliError(`The training ended since ${result.stopReason}.`);
      throwIfOtherInterrupted(context, result);
      const missed = promises(config.plan.expects, ended).find(({ reached, least }) => !(reached >= least));
      if (missed !== undefined)
        throw new CliError(`${config.name} must reach ${missed.text} but reached ${missed.own}.`);
    });
  return worker === undefined ? trained() : amongWorkers(trained);
}

/** How this process trains with those of other machines, as `TF_CONFIG` says; undefined if it has none. */
function workerOptions(given: ValuesOf<typeof options>): WorkerOptions | undefined {
  const { replicas, restarts, workerTimeout: timeout, wire } = given;
  endWithParent();
  const seat = readTfConfig(process.env["TF_CONFIG"]);
  if (seat !== undefined && replicas !== undefined)
    throw new UsageError("TF_CONFIG names the workers already: leave out --replicas, or unset TF_CONFIG.");
  const isAlone = seat === undefined && replicas === undefined;
  for (const [option, value] of Object.entries({ workerTimeout: timeout, wire }))
    if (isAlone && value !== undefined)
      throw new UsageError(`${flagOf(option)} is for several workers: give --replicas, or set TF_CONFIG.`);
  if (restarts !== undefined && replicas === undefined)
    throw new UsageError("--restarts starts the processes of --replicas anew: give both.");
  return seat && { seat, timeout, wire };
}
