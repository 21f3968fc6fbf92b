import { dtypeBytes } from "../src/bytes/named-tensor.ts";
import { kerasClasses } from "../src/formats/keras/config-keys.ts";
import { makers } from "../src/formats/keras/import-layers.ts";
import { layerOperations } from "../src/formats/keras/operations.ts";
import { unwrittenLayers } from "../src/formats/keras/unwritten-layers.ts";
import { whyUnread } from "../src/formats/keras/unread-layers.ts";
import { knownFilters, unknownFilters } from "../src/formats/hdf5/filters.ts";
import { layerWriters } from "../src/formats/onnx/layers.ts";
import { onnxReads } from "../src/formats/onnx/read/table.ts";
import { loweredOperations } from "../src/formats/tfjs/stock/operations.ts";
import { stockActivations } from "../src/formats/tfjs/stock/activations.ts";
import { stockForms } from "../src/formats/tfjs/stock/table.ts";
import { twins } from "../src/formats/torch/twins.ts";
import { namings } from "../src/formats/torch/structure.ts";
import { activationNames } from "../src/layers/activations.ts";
import { operationTable } from "../src/operations/table.ts";
import { tensorflowNames } from "../src/operations/tensorflow-names.ts";

const made = "<!-- Written by packages/weights/test/format-pages.test.ts from the tables that the code uses. -->";

/** Words in alphabetical order, as code. */
function names(words: Iterable<string>): string {
  return [...new Set(words)]
    .toSorted((a, b) => a.localeCompare(b, "en"))
    .map((word) => `\`${word}\``)
    .join(", ");
}

function page(title: string, ...parts: readonly string[]): string {
  return `${[`# ${title}`, made, ...parts].join("\n\n")}\n`;
}

const isRead = (className: string): boolean =>
  Object.hasOwn(makers, className) || ["InputLayer", "Pipeline"].includes(className);

function kerasLayers(): string {
  const unread = kerasClasses.filter((name) => !isRead(name));
  const rows = unread.map((name) => `| \`${name}\` | ${whyUnread(name) ?? "is not known here"} |`);
  return `## Layers

Read: ${names(kerasClasses.filter(isRead))}.

Not read. The error names the layer, its place in the file and the reason:

| layer | why |
|---|---|
${rows.join("\n")}

Read, but not written into .keras and .h5; the error says so:

${Object.values(unwrittenLayers)
  .map((why) => `- ${why}.`)
  .join("\n")}

Options and arguments that would change the numbers are honored or refused by name: \`use_gate\` and a sliding window of attention,
a mask of a layer that takes none here, a mask stated to a nested model that is not the one that its input has, \`time_major\`, \`stateful\` of a recurrent layer without a fixed batch, \`zero_output_for_mask\` of one that returns its last step or its states.
Layers with \`channels_first\` are computed channels last between two transpositions.

Masks of \`Embedding\` and \`Masking\` reach the layers that they reach in Keras, several inputs of attention and nested models
included; batch normalization leaves masked steps out of the statistics of a batch, as in Keras. A layer that Keras lacks is refused
where the layers written in its place would end the mask of its input (batch normalization over several axes, a clip), and a model
that was built with tfjs where tfjs-layers gives a layer a mask that does not reach it in Keras. With first states
(\`initial_state\`) Keras 3 leaves a sequence's mask unused, and Keras 2 uses it: each file is read as its Keras does, and a model is
not written for the other. \`LocallyConnected1D\` and
\`LocallyConnected2D\` are read in all three implementations. \`CuDNNLSTM\` and \`CuDNNGRU\` of Keras 2 are read as \`LSTM\` and \`GRU\`, with
their weights put in order. Keras 2's batch normalization over several axes goes to Keras 3 as one over
a single axis, between two transpositions. An RNN of \`StackedRNNCells\` is written as its layers
in turn. \`SpectralNormalization\`, a model within \`TimeDistributed\`, and a recurrent layer whose call states a mask go into \`.keras\`
files, and not into .h5.

What works in prediction and throws in training: \`SpectralNormalization\`, batch renormalization, and the augmentations that only
Keras computes. A model or a batch normalization that is called with \`training=False\` stays in inference here in training, too, as
Keras 2 does it; Keras 3.15 itself overrules that when it trains.

## Operations

Bare operations between layers (\`x * 2\`, \`keras.ops\`), by Keras 3's names without underscores: ${names([
    ...Object.keys(operationTable),
    ...Object.keys(layerOperations),
  ])}.

Functions of TensorFlow, as Keras 2 writes them (TFOpLambda, SlicingOpLambda), also by these names: ${names(Object.keys(tensorflowNames))}.
Sizes that a file computes (\`tf.shape(x)[1] * 2\`) become numbers; one that depends on the batch is refused, but for the batch itself as
the first size of a \`reshape\`. \`AddLoss\` and \`AddMetric\` are left out, so training here is without their losses.

## Activations

${names(Object.keys(activationNames))}; \`glu\`; and your own: \`loadModel(file, { functions: { name } })\`.

## Your own layers and functions

\`loadModel(file, { layers: [MyLayer], functions: { name } })\`, or classes registered with \`tf.serialization\`. A class that the file
states as yours is never taken for one of ours of the same name.`;
}

function keras(): string {
  return page(
    "Keras 3: .keras and .weights.h5",
    "A `.keras` is a zip of the architecture (`config.json`) and the weights (`model.weights.h5`). `loadModel` reads it; `saveModel` writes it. A `.weights.h5` has the weights alone: `loadWeights(model, file)`.",
    "A layer with another dtype policy than float32 computes in float32 here; `onNote` tells it, and a Keras file that the model is saved in states the policy again.",
    "Also read: the archive packed by bzip2 or LZMA, within a folder, or unpacked into one; weights in shards (`model.weights.json`, `.weights.json`).",
    "Quantized layers (int8, int4, float8; `Dense`, `EinsumDense`, `Embedding`) and LoRA become float layers: the weights are dequantized, LoRA's product is added, and `onNote` tells it. Keras rounds the inputs of int8 and float8 layers, too, so its outputs differ, by up to 4 percent of the largest in the small networks that were compared. GPTQ and AWQ, and quantized layers within attention, are refused.",
    "Sequential and functional models load, with nested models, shared layers, several inputs and outputs. A subclassed model does not: its code is Python.",
    kerasLayers(),
  );
}

function h5(): string {
  return page(
    "Keras: .h5",
    "Models and weights of Keras 1, 2 and 3 in HDF5. `loadModel` reads a model, `loadWeights(model, file)` the weights; `saveModel` writes what Keras 2 and Keras 3 load.",
    `HDF5 of every version: any \`libver\`, a user block before it, \`track_order\`. Chunks unpacked of ${names(Object.values(knownFilters))}; refused by name: ${names(Object.values(unknownFilters))}, other filters, data in other files (external storage, virtual datasets), soft and external links. Any HDF5 file of numbers opens with \`openWeights\`.`,
    "The layers, operations, activations and classes of yours are those of [Keras 3](keras.md), by the same tables. Keras 3 writes bare operations into an .h5 without their module, and does not read most of them back: use `.keras` for them. For Keras 2 alone, `saveModel(model, file, { keras: 2 })` (the command's `--keras2`) writes an operation that is one function of TensorFlow as a `TFOpLambda`. First states of a recurrent layer (`initial_state`) need `{ keras: 2 }`, too, if Keras 2 is to read them. An operation that could be a class of yours is refused.",
  );
}

function pytorch(): string {
  const rows = namings.map(({ ours, theirs }) => `| \`${ours.source}\` | ${theirs} |`);
  const twinRows = twins.map(({ ours, theirs, difference }) => `| ${names(ours)} | ${names(theirs)} | ${difference} |`);
  return page(
    "PyTorch: .pth, .pt, .ckpt, .pkl",
    "Weights load into a network of yours or of the zoo: `loadWeights(model, file)`. No code of the file is ever run; a whole module gives its weights alone.",
    "Types: " + names(Object.keys(dtypeBytes)) + ".",
    "Sparse tensors (COO, CSR, CSC, BSR, BSC; not batches of matrices) become dense, and quantized ones (`torch.quantize_per_tensor`, `quantize_per_channel`, packed dense layers) become floats: a note says so. A network whose activations are quantized, too, then computes in floats. Weights that GPTQ, AWQ, bitsandbytes, compressed-tensors or quanto quantized are refused.",
    "## Names\n\nA weight has the name of its layer in PyTorch: `layer1.0.conv1.weight` for `layer1.b0.conv1/kernel`. Kernels are transposed, and the first dense layer after a flatten gets its rows in the order of PyTorch's maps. Names of wrappers before all others (`module.`, `_orig_mod.`, `model.`) are left out.",
    `States with other names are matched by order and shape; a difference is refused, and the message names the first:\n\n| network of the zoo | states of |\n|---|---|\n${rows.join("\n")}`,
    `Two networks may have the same names and shapes and compute otherwise. A file is refused if its metadata (safetensors), its name, timm's \`config.json\` beside it or the name of its folder says that it is the other's:\n\n| network of the zoo | refuses files of | because |\n|---|---|---|\n${twinRows.join("\n")}`,
    '`channels: "adapt"` (the command\'s `--adapt-channels`) loads a first convolution for another number of input channels, as timm does. By default such a file is refused.',
    "PyTorch has no file of a model's architecture that can be read: export it to [ONNX](onnx.md).",
  );
}

function safetensors(): string {
  return page(
    "safetensors",
    "Weights under PyTorch's names, read by `loadWeights` and written by `saveModel`: torchvision's and timm's modules take them with `strict=True`. The names are told in [PyTorch](pytorch.md).",
    "Types: " + names(Object.keys(dtypeBytes)) + ". Weights are float32 here; narrower ones are widened.",
    "Not written: what PyTorch's order cannot tell, such as features that are joined after a flatten; a PReLU with a slope for every pixel; two layers of one name. The error names each weight.",
  );
}

function onnx(): string {
  return page(
    "ONNX",
    "`loadModel` makes a trainable model of the operators that convolutional networks use; `saveModel` writes opset 17, any batch, channels last at its inputs and outputs.",
    `Operators that are read: ${names(onnxReads.keys())}. Another one is refused by its name, or is yours: \`loadModel(file, { layers: [MyOp], functions: { myOp } })\`, by the operator's name. Such a layer is made of the node's attributes, takes its inputs in the file's order of axes, and has the constant inputs as weights; those that its \`static constantInputs = ["name"]\` names come as options instead.`,
    "Maps are taken and given with their channels last, and sequences of LSTM, GRU and RNN with the batch first, since a model splits and joins batches along its first axis. Recurrent nodes become `LSTM`, `GRU` and `SimpleRNN` layers that train: all directions, initial states, both orders of GRU's reset gate; peepholes, clips and lengths for each sequence are refused. Of an `If` whose condition the file decides, the branch is taken; `Loop` and `Scan` are refused. Nodes over whole numbers (`ConvInteger`, `QLinearConv` …) run in float32.",
    `Layers that are written: ${names(Object.keys(layerWriters))}. Other layers that tfjs computes are refused by name, or recorded op by op where that is possible. A layer class of yours is refused.`,
  );
}

function tfjs(): string {
  return page(
    "TensorFlow.js: model.json",
    '`loadModel` reads a layers model, its folder or its `model.json`, quantized too, made by tfjs or by tensorflowjs\' converter from Keras 2 or 3; `saveModel(model, folder, { format: "tfjs", quantize? })` writes it, in shards of 4 MB.',
    "Layers of tfjs-layers, of Keras by [these tables](keras.md), and this package's own, which stock tfjs does not have: `registerImportLayers()` lets it make them. Your own classes: `loadModel(file, { layers: [MyLayer] })`.",
    stockTfjs(),
    "Not read: graph models, which have no layers.",
  );
}

function stockTfjs(): string {
  const rows = Object.entries(stockForms).map(([name, { by, except, lacks }]) => {
    const what = lacks === undefined ? "" : " (some options)";
    return `| \`${name}\`${what} | ${by} | ${except ?? ""} |`;
  });
  return `## For programs without this package

The report's \`needs\` names what stock tfjs lacks of a model. \`saveModel(model, folder, { format: "tfjs", stock: true })\` (the
command's \`--to tfjs --stock\`) writes layers of stock tfjs in place of the others. Their outputs in prediction are the same; in
training they are not: random layers are left out, and the zeros between groups would be trained. So it is not the default:
a plain folder loads here again as the same network, which trains as before.

| layer | stock layers | not replaced |
|---|---|---|
${rows.join("\n")}
| random layers | nothing in prediction; \`RandomCrop\` by \`Cropping2D\` and \`Dense\` | |

Operations that are replaced by stock layers: ${names(loweredOperations)}. Not where a constant has more than one number for each channel,
where the batch is moved or reduced, or where a shape depends on the run.

Activations that are replaced by stock layers: ${names(Object.keys(stockActivations))}.

Of two layers with weights of one name, one gets another name. Other layers, your own classes among them, are refused by name.
The graph model, \`{ format: "tfjs-graph" }\`, holds every network: \`tf.loadGraphModel\` runs it without any class.`;
}

function savedModel(): string {
  return page(
    "SavedModel",
    '`saveModel(model, folder, { format: "savedmodel" })` writes a folder for Python and TensorFlow Serving, with a TensorFlow engine in use. Every layer that runs can be written, as it is traced and not looked up in a table; a size of the batch stays open.',
    "Read as a model that trains: a folder that Keras 2 saved, whose layers are in `keras_metadata.pb`. Another SavedModel has no layers: save the model as `.keras` in Python, or export it as `.onnx`. Its variables are weights by name: `openWeights(folder)`, `listWeights`, `convertWeights`.",
  );
}

function npz(): string {
  return page(
    "NumPy: .npy and .npz",
    "`openWeights` reads one array of an `.npy` or the arrays of an `.npz` by name; `saveNpy` writes an `.npy`. `convertWeights` turns an `.npz` into `.safetensors`, `.pth` or `.h5`, and back; `listWeights` lists it.",
    '`loadWeights(model, "net.npz")` takes PyTorch\'s names, as a `.safetensors` file has them. A model cannot be loaded from it: it has no architecture. NumPy has no bfloat16: it is the type `V2` there. Arrays of Python objects are refused.',
    "Types: " + names(Object.keys(dtypeBytes)) + ".",
  );
}

/** The page of each format, by file name. */
export const formatPages: Readonly<Record<string, () => string>> = {
  "keras.md": keras,
  "h5.md": h5,
  "tfjs.md": tfjs,
  "savedmodel.md": savedModel,
  "pytorch.md": pytorch,
  "safetensors.md": safetensors,
  "npz.md": npz,
  "onnx.md": onnx,
};
