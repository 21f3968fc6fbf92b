const text = "works on words: make numbers of them before the network";
const audio = "works on sound";
const foreign = "holds code of another library";

/** Why layers of Keras are not read, as the end of a sentence that begins with the layer. */
const unreadLayers: Readonly<Record<string, string>> = {
  Lambda:
    "holds Python code, which is not run: write it as a layer class, and give its TypeScript: loadModel(file, { layers: [...] })",
  AbstractRNNCell: "is a base class",
  ContrastLimitedAdaptiveHistogramEqualization: "changes images in prediction in a way that is not known here",
  DenseFeatures: "belongs to TensorFlow's feature columns",
  DynamicEmbedding: text,
  DynamicLookup: text,
  Equalization: "changes images in prediction in a way that is not known here",
  FlaxLayer: foreign,
  GRUCell: "is read within RNN",
  HashedCrossing: text,
  Hashing: text,
  IntegerLookup: text,
  JaxLayer: foreign,
  LSTMCell: "is read within RNN",
  MelSpectrogram: audio,
  ReversibleEmbedding: "is not known here",
  STFTSpectrogram: audio,
  SimpleRNNCell: "is read within RNN",
  StackedRNNCells: "is read within RNN",
  StringLookup: text,
  TFSMLayer: foreign,
  TextVectorization: text,
  TorchModuleWrapper: foreign,
  Wrapper: "is a base class",
};

/** Why a layer is not read; undefined if there is no reason but that nobody wrote it. */
export function whyUnread(className: string): string | undefined {
  return Object.hasOwn(unreadLayers, className) ? unreadLayers[className] : undefined;
}
