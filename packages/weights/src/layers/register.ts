import { AugmentationLayer, KerasOnlyAugmentation, registerAugmentationLayers } from "@convkit/augment";
import {
  AdaptiveAveragePooling2D,
  BatchNormalization,
  Conv2D,
  CustomScaleLayer,
  DropBlock2D,
  Dropout,
  GlobalAveragePooling2D,
  GroupNormalization,
  LayerScale,
  LocalResponseNormalization,
  Normalization,
  PadChannels,
  PaddedPooling2D,
  registerLayers,
  SeparableConv2D,
  ShuffleChannels,
  SliceChannels,
} from "@convkit/core";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { Operation } from "../operations/operation.ts";
import { operationTable } from "../operations/table.ts";
import { registerActivations } from "./activations.ts";
import { AxesBatchNormalization } from "./axes-batch-norm.ts";
import { Attention, MultiHeadAttention } from "./attention.ts";
import { EinsumDense } from "./einsum-dense.ts";
import {
  ActivityRegularization,
  Bidirectional,
  MaskedAverage1D,
  MaskedLayer,
  MaskedZeros,
  SpectralNormalization,
} from "./wrappers.ts";
import { ConvLSTM1D, ConvLSTM3D } from "./conv-lstm.ts";
import { Concatenate, Reshape } from "./joins.ts";
import { Conv1DTranspose, DepthwiseConv1D, GroupedConv1D, SeparableConv1D } from "./kernels.ts";
import { LocallyConnected1D, LocallyConnected2D } from "./locally-connected.ts";
import { OrthogonalRegularizer } from "./regularizers.ts";
import { ResetAfterGRU } from "./recurrent.ts";
import { RecurrentStack } from "./recurrent-stack.ts";
import { DilatedDepthwiseConv2D, GroupedConv3D, SizedConv2DTranspose, SizedConv3DTranspose } from "./convolutions.ts";
import { Clipped, Sliced, Stacked } from "./slicing.ts";
import { isStockName, stockClasses } from "./stock-classes.ts";
import {
  AxesNormalization,
  BatchStatisticsNormalization,
  RenormBatchNormalization,
  RMSNormalization,
  UnitNormalization,
} from "./norms.ts";
import { CroppedCentre, ResizedTo, ScaledUp2D, TrainingCrop } from "./resize.ts";
import {
  BentReLU,
  GlobalMaxPooling2DKeepdims,
  Identity,
  Power,
  ScaledELU,
  SoftmaxOver,
  SpatialDropout1D,
  SpatialDropout2D,
  SpatialDropout3D,
  Subtract,
} from "./base-layers.ts";

const { classNameMap } = tf.serialization.SerializationMap.getMap();

const own = [
  ActivityRegularization,
  AxesBatchNormalization,
  Bidirectional,
  EinsumDense,
  GroupedConv3D,
  ConvLSTM1D,
  ConvLSTM3D,
  LocallyConnected1D,
  MaskedAverage1D,
  MaskedLayer,
  MaskedZeros,
  RecurrentStack,
  SizedConv3DTranspose,
  SpectralNormalization,
  TrainingCrop,
  Attention,
  Conv1DTranspose,
  DepthwiseConv1D,
  GroupedConv1D,
  LocallyConnected2D,
  MultiHeadAttention,
  RenormBatchNormalization,
  ResetAfterGRU,
  Reshape,
  RMSNormalization,
  SeparableConv1D,
  SpatialDropout1D,
  SpatialDropout3D,
  AxesNormalization,
  BatchStatisticsNormalization,
  BentReLU,
  Clipped,
  Concatenate,
  CroppedCentre,
  DilatedDepthwiseConv2D,
  GlobalMaxPooling2DKeepdims,
  Identity,
  Operation,
  Power,
  ResizedTo,
  ScaledELU,
  ScaledUp2D,
  SizedConv2DTranspose,
  Sliced,
  SoftmaxOver,
  SpatialDropout2D,
  Stacked,
  Subtract,
  UnitNormalization,
];

const StockIdentity = tfl.initializers.identity({}).constructor as unknown as new (config: object) => object;

class IdentityInitializer extends StockIdentity {
  static className = "IdentityInitializer";
  getClassName(): string {
    return "IdentityInitializer";
  }
}

/** Layers that @convkit/core registers. */
const ofCore = [
  AdaptiveAveragePooling2D,
  BatchNormalization,
  Conv2D,
  CustomScaleLayer,
  DropBlock2D,
  Dropout,
  GlobalAveragePooling2D,
  GroupNormalization,
  LayerScale,
  LocalResponseNormalization,
  Normalization,
  PadChannels,
  PaddedPooling2D,
  SeparableConv2D,
  ShuffleChannels,
  SliceChannels,
];

interface RegisteredClass {
  readonly className: string;
}

/** The class names that the augmentation package registers. */
const augmentationNames = new Set<string>(["KerasOnlyAugmentation", "RandomAugmentation"]);

/** The user's classes that were registered under one of our names before ours. */
const userClasses = new Map<string, RegisteredClass>();

function registered(className: string): RegisteredClass | undefined {
  return Object.hasOwn(classNameMap, className) ? (classNameMap[className]![0] as RegisteredClass) : undefined;
}

function isLayerClass(found: RegisteredClass): boolean {
  return (found as { prototype?: unknown }).prototype instanceof tfl.layers.Layer;
}

/** Whether a class is one of ours, or the tfjs class that one of ours extends. */
function isKnownClass(found: RegisteredClass): boolean {
  return [...own, ...ofCore].some((ours) => ours === found || Object.getPrototypeOf(ours) === found);
}

/**
 * Registers with tfjs every layer that an imported model may have. Call it before `tf.loadLayersModel` on an imported
 * model that was saved again. A user's class already registered under one of our names stays.
 */
export function registerImportLayers(): void {
  for (const { className } of [...own, ...ofCore]) {
    const found = registered(className);
    if (found !== undefined && isLayerClass(found) && !isKnownClass(found)) userClasses.set(className, found);
  }
  registerLayers();
  registerAugmentationLayers();
  for (const [name, [{ prototype }]] of Object.entries(classNameMap) as unknown as [string, [{ prototype: unknown }]][])
    if (prototype instanceof AugmentationLayer) augmentationNames.add(name);
  registerActivations();
  Operation.table = operationTable;
  tf.serialization.registerClass(OrthogonalRegularizer as never);
  // tfjs registers initializers and layers in one namespace; our Identity layer then replaces this initializer.
  tf.serialization.registerClass(IdentityInitializer as never);
  for (const layer of own) if (!userClasses.has(layer.className)) tf.serialization.registerClass(layer as never);
}

/**
 * The class that the user registered with tfjs under this name; undefined for names of tfjs, of Keras, or of our
 * classes alone.
 */
export function userClass(className: string): RegisteredClass | undefined {
  const ofUser = userClasses.get(className);
  if (ofUser !== undefined) return ofUser;
  const isOurs = [...own, ...ofCore].some((ours) => ours.className === className);
  if (isOurs || isStockName(className) || augmentationNames.has(className)) return undefined;
  const found = registered(className);
  // Initializers and regularizers are registered, too.
  return found !== undefined && isLayerClass(found) ? found : undefined;
}

/** Our class of this name, even if another class is registered under it. */
export function ownClass(className: string): (new (args: never) => tfl.layers.Layer) | undefined {
  return [...own, ...ofCore].find((ours) => ours.className === className);
}

/** Whether a layer is an instance of one of our classes. */
export function isOwnLayer(layer: object): boolean {
  return [...own, ...ofCore].some((ours) => layer.constructor === ours);
}

/** Whether stock tfjs loads a layer's class: one of its own, or ours in place of one of its own under the same name. */
export function isStockLayer(layer: object): boolean {
  if (layer instanceof AugmentationLayer || layer instanceof KerasOnlyAugmentation) return false;
  if (!isOwnLayer(layer)) return stockClasses().has(layer.constructor);
  const parent = Object.getPrototypeOf(layer.constructor) as Partial<RegisteredClass>;
  return parent.className === (layer.constructor as unknown as RegisteredClass).className;
}

/** Whether a layer's class is ours or tfjs', and not a user's class of the same name. */
export function isKnownLayer(layer: object): boolean {
  const isAugmentation = layer instanceof AugmentationLayer || layer instanceof KerasOnlyAugmentation;
  return isOwnLayer(layer) || isAugmentation || stockClasses().has(layer.constructor);
}
