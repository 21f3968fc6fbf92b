import { command, type CommandTree } from "../terminal/command.ts";

/**
 * Every command, in the order of `--help`. The file of a command, with its options and its action, is imported when it
 * is called.
 */
export const commands: CommandTree = {
  list: command("[pattern]", "the zoo: parameters, input, multiply-adds, paper", () => import("./list.ts")),
  summary: command(
    "<model>",
    "layers, parameters, multiply-adds, memory, receptive field",
    () => import("./summary.ts"),
  ),
  train: command(
    "[recipe-or-model]",
    "trains a recipe, or on --data a network of the zoo, a run's model or a model file",
    () => import("./train.ts"),
  ),
  search: command(
    "[recipe-or-model]",
    "trains with drawn settings, at random or by successive halving, and ends with one table",
    () => import("./search.ts"),
  ),
  evaluate: command("<model>", "loss, accuracy, top-5, per class, confusion matrix", () => import("./evaluate.ts")),
  calibration: command(
    "<model>",
    "how far probabilities are from how often the model is right; finds a temperature with --fit",
    () => import("./calibration.ts"),
  ),
  robustness: command(
    "<model>",
    "accuracy on corrupted images (noise, blur, JPEG …), by class and by confidence",
    () => import("./robustness.ts"),
  ),
  predict: command(
    "<model> <images...>",
    "the most likely classes of image files, or of all images in a folder",
    () => import("./predict.ts"),
  ),
  serve: command(
    "<models...>",
    "models over HTTP, for clients of TensorFlow Serving, of the Open Inference Protocol and of images",
    () => import("./serve.ts"),
  ),
  playground: command(
    "",
    "a page on this machine: collect pictures, train a network on them, try it, look into model files",
    () => import("./playground.ts"),
  ),
  run: command("<model>", "raw float32 arrays in and out, without preprocessing", () => import("./run.ts")),
  convert: command(
    "<model> [out]",
    "a model in another format: .keras, .h5, .weights.h5, .safetensors, .onnx, or a folder/ with --to; weights alone in .safetensors, .pth, .npz or .h5",
    () => import("./convert.ts"),
  ),
  quantize: command(
    "<model> <out>",
    "an int8 .onnx file of a model, for OpenVINO and ONNX Runtime, and its accuracy before and after",
    () => import("./quantize.ts"),
  ),
  weights: command(
    "<file>",
    "the weights of a file of any format: name, type, shape, sum and checksum",
    () => import("./weights.ts"),
  ),
  check: command(
    "<model>",
    "whether a training can work: the input, the loss at the start, one batch learned by heart",
    () => import("./check.ts"),
  ),
  "lr-find": command(
    "<model>",
    "a learning rate to begin with: some steps with a rising rate, and the curve of their losses",
    () => import("./lr-find.ts"),
  ),
  profile: command(
    "<model>",
    "what each layer costs on this machine: parameters, multiply-adds, memory, time, roofline; what compiling gains",
    () => import("./profile.ts"),
  ),
  inspect: command(
    "<model> <image>",
    "what a network sees in an image, as one page: classes, Grad-CAM, attributions, feature maps",
    () => import("./inspect.ts"),
  ),
  draw: command(
    "<model> <out>",
    "the picture of a network: a .svg, a .png, or an .html in which blocks fold",
    () => import("./draw.ts"),
  ),
  explain: {
    about: "the arithmetic of networks with its numbers put in: sizes, costs, receptive fields, blocks",
    commands: {
      conv: command("", "output size and cost of a convolution, with an example", () => import("./explain/conv.ts")),
      pool: command("", "output size of a pool, with an example", () => import("./explain/pool.ts")),
      correlation: command(
        "",
        "cross-correlation, which networks compute, and convolution",
        () => import("./explain/correlation.ts"),
      ),
      stack: command("", "what several windows see together", () => import("./explain/stack.ts")),
      bottleneck: command("", "what a 1x1 convolution saves", () => import("./explain/bottleneck.ts")),
      separable: command("", "what separable convolutions save", () => import("./explain/separable.ts")),
      inception: command("", "three inception modules, branch by branch", () => import("./explain/inception.ts")),
      residual: command("", "what a shortcut adds and needs", () => import("./explain/residual.ts")),
      "top-5": command("", "softmax, ranks, and when an answer counts", () => import("./explain/top-5.ts")),
      "receptive-field": command(
        "<model>",
        "the pixels that each layer sees, and how much they count",
        () => import("./explain/receptive-field.ts"),
      ),
      params: command("<model>", "where the parameters and multiply-adds are", () => import("./explain/params.ts")),
    },
  },
  data: {
    about: "the data sets: list, verify, fetch, subset, shard, audit, preview",
    commands: {
      list: command("", "the data sets with a name, and whether they are here", () => import("./data/list.ts")),
      verify: command(
        "<name>",
        "compares every byte of a data set with what was published",
        () => import("./data/verify.ts"),
      ),
      fetch: command("<name>", "downloads a data set into the cache", () => import("./data/fetch.ts")),
      subset: command(
        "<source> <target>",
        "a smaller data set from class folders, or from files such as cat.N.jpg",
        () => import("./data/subset.ts"),
      ),
      shard: command(
        "<data> <target>",
        "writes images as WebDataset's tar shards, to be read as a stream",
        () => import("./data/shard.ts"),
      ),
      audit: command(
        "<folder>",
        "finds doubles, unreadable, dark, blurred and wrongly labeled images",
        () => import("./data/audit.ts"),
      ),
      preview: command("<data>", "some images on one sheet", () => import("./data/preview.ts")),
    },
  },
  health: command(
    "<runs...>",
    "gradients, updates, activations and dead units of runs trained with --health, as tables or as a page",
    () => import("./health.ts"),
  ),
  compare: command("<runs...>", "runs side by side", () => import("./compare.ts")),
  engine: {
    about: "installs, lists and removes TensorFlow and OpenVINO",
    commands: {
      list: command("", "the engines that are installed, and those that run here", () => import("./engine/list.ts")),
      install: command(
        "",
        "installs a current TensorFlow, or with --predict OpenVINO",
        () => import("./engine/install.ts"),
      ),
      remove: command("", "removes what install provided", () => import("./engine/remove.ts")),
    },
  },
  doctor: command(
    "",
    "the engines that run here, why the others do not, and what to do about it",
    () => import("./doctor.ts"),
  ),
  init: command(
    "[folder]",
    "a small project: data, training script, TypeScript, the command to run",
    () => import("./init.ts"),
  ),
  completion: command(
    "<shell>",
    "the script with which bash, zsh, fish or powershell completes names, options and commands",
    () => import("./completion.ts"),
  ),
  complete: command(
    "[words...]",
    "what may come next on a command line; the script of completion asks it",
    () => import("./complete.ts"),
  ),
};
