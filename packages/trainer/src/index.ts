export { type BatchLogs, type Callback, type Training } from "./callbacks.ts";
export { earlyStopping, type EarlyStoppingOptions } from "./early-stopping.ts";
export { type EpochLogs, formatHistory, parseHistory, readHistory, writeHistory } from "./history.ts";
export { type JsonValue } from "./json.ts";
export { applyLogits } from "./logits.ts";
export {
  binaryCrossentropy,
  binaryFocal,
  categoricalCrossentropy,
  categoricalFocal,
  type FocalOptions,
  type LossOptions,
  sparseCategoricalCrossentropy,
} from "./losses.ts";
export { auc, type Auc } from "./metrics/auc.ts";
export { type ClassReport, classReports, confusion, type Confusion, macroAverage } from "./metrics/confusion.ts";
export { type Evaluation, type Evaluator, evaluator, type Mistake } from "./metrics/evaluation.ts";
export { inTopK, topClasses } from "./metrics/top-k.ts";
export { type Monitor, monitors } from "./monitor.ts";
export { type Loss, type LossName, lossNames } from "./objective.ts";
export { reduceOnPlateau, type PlateauOptions } from "./reduce-on-plateau.ts";
export { parseSchedule, type Progress, type Schedule, scheduleFactor, scheduleNames } from "./schedules.ts";
export { tensorBoard, type TensorBoardOptions } from "./tensorboard/callback.ts";
export { type EventFile, openEventFile, type Picture } from "./tensorboard/event-file.ts";
export { TrainerError } from "./trainer-error.ts";
export { type CheckpointOptions } from "./checkpointing.ts";
export { evaluate, type EvaluateOptions, type JudgedBatch } from "./evaluate.ts";
export { type LoadedModel, loadModel, type ModelMetadata, saveModel } from "./model-files.ts";
export { completeOptimizer, type OptimizerConfig, type OptimizerName, optimizerNames } from "./optimizer.ts";
export { claimRunDirectory, type RunDirectory, runDirectory } from "./run-directory.ts";
export { type Augmentation, type AugmentationPlan, planAugmentation } from "./augmentation.ts";
export { train, type RunResult, type Timings, type TrainOptions } from "./train.ts";
export { executable, type Executable, type ExecutionOptions, type Feed, type Values } from "./executable.ts";
export { checkPlan, type PlanParts } from "./plan-checks.ts";
export { type Plan, type Recipe, type RecipeName, recipes } from "./recipes.ts";
export { balancedClassWeights } from "./class-weights.ts";
export { writeFileAtomic, writeJson } from "./atomic-file.ts";
export { type Predictor, predictor, type PredictorOptions } from "./predictor.ts";
export { report, type ReportParts } from "./report/report.ts";
export { pictureOf } from "./report/pictures.ts";
export { comparison, type ComparedRun } from "./report/comparison.ts";
export { webhook, type WebhookOptions } from "./webhook.ts";
