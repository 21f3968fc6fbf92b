import { type Command, Option } from "commander";
import type { Context } from "../terminal/context.ts";
import { imageSize, pixelSize, positive, webAddress, wholeFrom } from "../terminal/global-options.ts";

type ContextOf = (command: Command) => Context;

/** Adds every command. What a command does is imported when it is called: `--help` and `list` load no TensorFlow. */
export function addCommands(program: Command, contextOf: ContextOf): void {
  program
    .command("list [pattern]")
    .description("the zoo: parameters, input, multiply-adds, paper")
    .option("--recipes", "the trainings that run by name instead")
    .action(async (pattern, options, command) =>
      (await import("./list.ts")).list(contextOf(command), pattern, options),
    );

  modelOptions(program.command("summary <model>"))
    .description("layers, parameters, multiply-adds, memory, receptive field")
    .action(async (model, options, command) =>
      (await import("./summary.ts")).summary(contextOf(command), model, options),
    );

  modelOptions(program.command("train [recipe-or-model]"))
    .description("trains a recipe, or on --data a network of the zoo, a run's model or a model file")
    .option("--data <name-or-folder>", "what to train on")
    .option("--data-from <folder-or-url>", "where a named data set lies")
    .option("--validation <part>", "images or share of the training data to validate on", positive)
    .option("--limit <n>", "at most so many images of each split", wholeFrom(1))
    .option("--quick", "the recipe in minutes, on data that installs")
    .option("--epochs <n>", "passes over the data", wholeFrom(1))
    .option("--batch <n>", "images a step", wholeFrom(1))
    .option("--optimizer <name>", "sgd, momentum, nesterov, adam, adamw, rmsprop")
    .option("--lr <rate>", "learning rate", positive)
    .option(
      "--schedule <schedule>",
      "constant, step, exponential, cosine, polynomial, one-cycle; options as in cosine:warmup=5",
    )
    .option(
      "--plan <json>",
      'the rest of the plan, as in {"loss": {"name": "focal"}, "augment": {"flip": "horizontal"}}',
    )
    .option("--patience <epochs>", "stops when validation has not improved for so long; 0 for never", wholeFrom(0))
    .addOption(new Option("--precision <name>", "of the training step").choices(["float32", "bfloat16", "float16"]))
    .option("--deterministic", "the same to the last bit from run to run, at some cost")
    .option("--out <folder>", "the run directory")
    .option("--resume <folder>", "goes on with the run in that directory")
    .option("--keep-best <k>", "checkpoints of the best k epochs are kept besides the newest", wholeFrom(1))
    .option("--webhook <url>", "posts every epoch's numbers as JSON", webAddress)
    .option("--workers <n>", "threads that decode images (default: one a core)", wholeFrom(1))
    .option("--strict", "stop at the first image that cannot be read")
    .option("--freeze", "train the last layer only, as of a model with a new head")
    .action(async (name, options, command) => (await import("./train.ts")).train(contextOf(command), name, options));

  modelOptions(program.command("evaluate <model>"))
    .description("loss, top-1, top-5, per class, confusion matrix")
    .requiredOption("--data <name-or-folder>", "what to evaluate on")
    .option("--data-from <folder-or-url>", "where a named data set lies")
    .addOption(new Option("--split <name>", "which images").choices(["test", "validation", "train"]))
    .option("--limit <n>", "at most so many images", wholeFrom(1))
    .option("--batch <n>", "images at once", wholeFrom(1))
    .option("--tta", "averages over the image and its mirror image")
    .option("--csv <file>", "writes each image's class, prediction and probability as CSV")
    .option("--workers <n>", "threads that decode images (default: one a core)", wholeFrom(1))
    .option("--strict", "stop at the first image that cannot be read")
    .action(async (model, options, command) =>
      (await import("./evaluate.ts")).evaluate(contextOf(command), model, options),
    );

  headOptions(program.command("predict <model> <images...>"))
    .description("the most likely classes of image files, or of all in a folder")
    .option("--input <HxWxC>", "image size", imageSize)
    .option("--top <k>", "how many classes", wholeFrom(1))
    .option("--batch <n>", "images at once", wholeFrom(1))
    .option("--tta", "averages over the image and its mirror image")
    .option("--csv <file>", "writes the best class of each image as CSV")
    .option("--strict", "stop at the first image of a folder that cannot be read")
    .action(async (model, images, options, command) =>
      (await import("./predict.ts")).predict(contextOf(command), model, images, options),
    );

  architectureOptions(program.command("run <model>"))
    .description("raw float32 arrays in and out, without preprocessing")
    .requiredOption(
      "--input <file.npy>",
      "[n, h, w, c] or [h, w, c]; a second time, as HxWxC, the image size",
      collected,
    )
    .requiredOption("--output <file.npy>", "where to write the outputs")
    .option("--batch <n>", "images at once", wholeFrom(1))
    .action(async (model, options, command) => (await import("./run.ts")).run(contextOf(command), model, options));

  modelOptions(program.command("convert <model> <out>"))
    .description("a model in another format: .keras, .h5, .weights.h5, .safetensors, .onnx, or a folder/ with --to")
    .addOption(new Option("--to <format>", "what to write into a folder").choices(["tfjs", "savedmodel"]))
    .option("--verify", "read the result back: every weight, and the outputs over a probe input")
    .action(async (model, out, options, command) =>
      (await import("./convert.ts")).convert(contextOf(command), model, out, options),
    );

  addExplain(program, contextOf);
  addData(program, contextOf);

  program
    .command("compare <runs...>")
    .description("runs beside each other")
    .option("--out <file.html>", "writes their curves over each other")
    .action(async (runs, options, command) =>
      (await import("./compare.ts")).compare(contextOf(command), runs, options),
    );

  const engine = program.command("engine").description("installs, lists and removes TensorFlow");
  engine
    .command("list")
    .description("what is installed, and what runs here")
    .action(async (_options, command) => (await import("./engine.ts")).listEngines(contextOf(command)));
  engine
    .command("install")
    .description("provides a current TensorFlow")
    .option("--gpu", "the CUDA build")
    .action(async (options, command) => (await import("./engine.ts")).install(contextOf(command), options));
  engine
    .command("remove")
    .description("removes what install provided")
    .option("--gpu", "the CUDA build")
    .action(async (options, command) => (await import("./engine.ts")).remove(contextOf(command), options));

  program
    .command("doctor")
    .description("what runs here, why the rest does not, and what to do about it")
    .action(async (_options, command) => (await import("./doctor.ts")).doctor(contextOf(command)));
}

function addExplain(program: Command, contextOf: ContextOf): void {
  const explain = program.command("explain").description("output sizes, receptive fields, where the parameters are");
  explain
    .command("conv")
    .description("what a convolution makes of an image size, and what it costs")
    .requiredOption("--input <HxWxC>", "image size", imageSize)
    .requiredOption("--kernel <n>", "height and width of the window", wholeFrom(1))
    .option("--filters <n>", "filters; as many as channels unless given", wholeFrom(1))
    .option("--stride <n>", "1 unless given", wholeFrom(1))
    .option("--dilation <n>", "1 unless given", wholeFrom(1))
    .option("--padding <padding>", "valid (unless given), same, or pixels a side")
    .option("--no-bias", "without biases")
    .action(async (options, command) => (await import("./explain.ts")).explainConv(contextOf(command), options));
  explain
    .command("pool")
    .description("what a pool makes of an image size")
    .requiredOption("--input <HxWxC>", "image size", imageSize)
    .requiredOption("--kernel <n>", "height and width of the window", wholeFrom(1))
    .option("--stride <n>", "the kernel's size unless given", wholeFrom(1))
    .option("--padding <padding>", "valid (unless given), same, or pixels a side")
    .action(async (options, command) => (await import("./explain.ts")).explainPool(contextOf(command), options));
  modelOptions(explain.command("receptive-field <model>"))
    .description("what each layer sees of the image, and what counts of it")
    .option("--layer <name>", "the feature map whose centre is measured; the last unless given")
    .option("--out <file>", "draws it, .svg or .png")
    .action(async (model, options, command) =>
      (await import("./explain.ts")).explainReceptiveField(contextOf(command), model, options),
    );
  modelOptions(explain.command("params <model>"))
    .description("where the parameters and multiply-adds are")
    .action(async (model, options, command) =>
      (await import("./explain.ts")).explainParams(contextOf(command), model, options),
    );
}

function addData(program: Command, contextOf: ContextOf): void {
  const data = program.command("data").description("the data sets: list, verify, fetch, subset, preview");
  data
    .command("list")
    .description("the data sets with a name, and whether they are here")
    .action(async (_options, command) => (await import("./data.ts")).listData(contextOf(command)));
  data
    .command("verify <name>")
    .description("every byte against what was published")
    .option("--from <folder>", "where it lies")
    .action(async (name, options, command) => (await import("./data.ts")).verify(contextOf(command), name, options));
  data
    .command("fetch <name>")
    .description("brings a data set into the cache")
    .option("--from <url>", "another place than the usual")
    .action(async (name, options, command) => (await import("./data.ts")).fetch(contextOf(command), name, options));
  data
    .command("subset <source> <target>")
    .description("a smaller data set from class folders, or from cat.N.jpg and the like")
    .option("--train <from:to>", "images of each class")
    .option("--validation <from:to>", "images of each class")
    .option("--test <from:to>", "images of each class")
    .option("--link", "links instead of copies")
    .action(async (source, target, options, command) =>
      (await import("./data.ts")).subset(contextOf(command), source, target, options),
    );
  data
    .command("preview <data>")
    .description("some images on one sheet")
    .requiredOption("--out <file.png>", "where to write it")
    .option("--count <n>", "how many", wholeFrom(1))
    .option("--size <HxW>", "what image files are brought to", pixelSize)
    .option("--augment <json>", 'as in {"flip": "horizontal", "rotation": 0.1}')
    .option("--data-from <folder-or-url>", "where a named data set lies")
    .action(async (name, options, command) => (await import("./data.ts")).preview(contextOf(command), name, options));
}

/** The options of a network of the zoo. */
function modelOptions(command: Command): Command {
  return architectureOptions(command).option("--input <HxWxC>", "image size", imageSize);
}

function architectureOptions(command: Command): Command {
  return headOptions(command).option("--no-top", "ends at the feature map");
}

function headOptions(command: Command): Command {
  return command
    .option("--classes <n>", "classes that the network tells apart", wholeFrom(1))
    .addOption(new Option("--pooling <kind>", "without the top").choices(["avg", "max", "none"]))
    .option("--aux", "with the auxiliary classifiers")
    .option("--weights <file>", "trained weights, or imagenet for those that are published")
    .option("--arch <name>", "the network that a file of weights belongs to");
}

function collected(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
