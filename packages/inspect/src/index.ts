export { gradCam, gradCamPlusPlus, scoreCam } from "./attribution/class-activation.ts";
export type { ClassActivation, ClassActivationOptions, ScoreCamOptions } from "./attribution/class-activation.ts";
export { guidedBackprop, guidedGradCam, saliency } from "./attribution/gradients.ts";
export type { Attribution, SaliencyOptions } from "./attribution/gradients.ts";
export { integratedGradients } from "./attribution/integrated-gradients.ts";
export type { IntegratedGradients, IntegratedGradientsOptions } from "./attribution/integrated-gradients.ts";
export { occlusion } from "./attribution/occlusion.ts";
export type { Occlusion, OcclusionOptions } from "./attribution/occlusion.ts";
export type { Images } from "./network/image-input.ts";
export type { Inputs } from "./network/input-batches.ts";
export type { Explained, TargetOptions } from "./network/target.ts";
export { draw } from "./draw/draw.ts";
export type { DrawOptions } from "./draw/draw.ts";
export { drawPage } from "./draw/page.ts";
export { measuredReceptiveField } from "./receptive-field/measured-receptive-field.ts";
export type { MeasuredReceptiveField, MeasureOptions } from "./receptive-field/measured-receptive-field.ts";
export { drawWindow } from "./window/draw-window.ts";
export { maximalActivation } from "./attribution/maximal-activation.ts";
export type { MaximalActivation, MaximalActivationOptions } from "./attribution/maximal-activation.ts";
export { embed } from "./embeddings/embed.ts";
export type { EmbedOptions, Embeddings } from "./embeddings/embed.ts";
export { embeddingMap } from "./embeddings/embedding-map.ts";
export type { EmbeddingMap, EmbeddingMapOptions } from "./embeddings/embedding-map.ts";
export { nearestImages } from "./embeddings/nearest-images.ts";
export type { NearestOptions, Neighbor } from "./embeddings/nearest-images.ts";
export { featureMaps } from "./maps/feature-maps.ts";
export type { FeatureMap, FeatureMapsOptions } from "./maps/feature-maps.ts";
export { filters } from "./maps/filters.ts";
export type { Filters, FiltersOptions } from "./maps/filters.ts";
export type { DrawWindowOptions } from "./window/read-window.ts";
export { windowText } from "./window/window-text.ts";
export { attributionPixels, colorMap, imagePixels, mapPixels, overlayPixels } from "./pictures/pixels.ts";
export type { ColorMap, ColorMapName, Pixels } from "./pictures/pixels.ts";
export { featureMapPixels, filterPixels, sheetPixels } from "./pictures/sheets.ts";
export type { FeatureMapPixelsOptions, SheetOptions } from "./pictures/sheets.ts";
export { applyTemperature } from "./calibration/apply-temperature.ts";
export { calibration, temperatureScaling } from "./calibration/calibration.ts";
export type {
  Calibration,
  CalibrationOptions,
  Judged,
  ReliabilityBin,
  TemperatureScaling,
} from "./calibration/calibration.ts";
export { costs, costsCsv } from "./costs/costs.ts";
export type { CostsOptions, LayerCost, ModelCosts } from "./costs/costs.ts";
export { machinePeaks, roofline } from "./costs/roofline.ts";
export type { MachinePeaks, RooflinePoint } from "./costs/roofline.ts";
export { fgsm, pgd } from "./robustness/adversarial.ts";
export type { Adversarial, FgsmOptions, PgdOptions } from "./robustness/adversarial.ts";
export { corrupt, corruptionNames } from "./robustness/corruptions.ts";
export type { CorruptionName, CorruptOptions, Photo } from "./robustness/corruptions.ts";
export { evaluateRobustness } from "./robustness/evaluate-robustness.ts";
export type {
  CorruptedAccuracy,
  ImageChange,
  Robustness,
  RobustnessOptions,
} from "./robustness/evaluate-robustness.ts";
