export { type BatchLogs, type Callback, type Training } from "./callbacks/callback.ts";
export { stepHistory, type StepHistoryOptions } from "./callbacks/step-history.ts";
export { earlyStopping, type EarlyStoppingOptions } from "./callbacks/early-stopping.ts";
export { type EpochLogs, formatHistory, parseHistory, readHistory, writeHistory } from "./run/history.ts";
export { type JsonValue } from "@convkit/files";
export { type ModelOutput, modelOutputs } from "./objective/model-outputs.ts";
export {
  binaryCrossentropy,
  binaryFocal,
  type BinaryFocalOptions,
  categoricalCrossentropy,
  categoricalFocal,
  type FocalOptions,
  type LossOptions,
  sparseCategoricalCrossentropy,
} from "./objective/losses.ts";
export {
  cosineSimilarity,
  type DivergenceOptions,
  huber,
  type HuberOptions,
  klDivergence,
  meanAbsoluteError,
  meanSquaredError,
} from "./objective/distances.ts";
export { tripletHard, type TripletOptions, tripletSemiHard } from "./objective/triplet.ts";
export { type Reduction, reductions } from "./objective/reduction.ts";
export { type Metric, type MetricFunction, type MetricValues } from "./metrics/metric.ts";
export { type MetricName, metricNames, metricOf, type MetricPlan } from "./metrics/named-metrics.ts";
export { type MetricOption, type MetricSpec, type OwnMetric } from "./metrics/metric-set.ts";
export { averagePrecision, type CurvePoint, precisionRecallCurve } from "./metrics/precision-recall.ts";
export { auc, type Auc } from "./metrics/auc.ts";
export {
  type ClassReport,
  classReports,
  confusionMatrix,
  type ConfusionMatrix,
  macroAverage,
} from "./metrics/confusion.ts";
export { type Evaluation, type Evaluator, evaluator, type Mistake } from "./metrics/evaluation.ts";
export { checkTraining, type CheckTrainingOptions } from "./checks/check-training.ts";
export { type TrainingCheck } from "./checks/training-check.ts";
export { inTopK } from "./metrics/in-top-k.ts";
export { type Monitor, monitors } from "./run/monitor.ts";
export {
  type Loss,
  type LossFunction,
  type LossName,
  lossNames,
  type LossOption,
  type LossSpec,
  type OwnLoss,
} from "./objective/loss.ts";
export { reduceOnPlateau, type PlateauOptions } from "./callbacks/reduce-on-plateau.ts";
export {
  parseSchedule,
  type Progress,
  type Schedule,
  scheduleFactor,
  scheduleNames,
} from "./optimization/schedules.ts";
export { tensorBoard, type TensorBoardOptions } from "./callbacks/tensorboard.ts";
export { type EventFile, openEventFile, type Picture } from "./tensorboard/event-file.ts";
export { TrainerError } from "./trainer-error.ts";
export { evaluate, type EvaluateOptions, type JudgedBatch } from "./step/evaluate.ts";
export {
  evaluateTasks,
  type EvaluateTasksOptions,
  type PredictedBatch,
  type TaskEvaluation,
} from "./step/evaluate-tasks.ts";
export type { MaskExample } from "./metrics/mask-examples.ts";
export type { LabelReport, NumberReport, OutputEvaluation, WorstExample } from "./metrics/output-evaluation.ts";
export type { EvaluationRuntime } from "./step/runtime-forward.ts";
export {
  completeOptimizer,
  type OptimizerConfig,
  type OptimizerName,
  optimizerNames,
} from "./optimization/optimizer-config.ts";
export { type AdaptiveClip } from "./optimization/clipping.ts";
export { type LayerDecay, type ParameterGroup } from "./optimization/parameter-groups.ts";
export { claimRunDirectory, type RunClaim, type RunDirectory, runDirectory } from "./run/run-directory.ts";
export {
  type BatchAugmentation,
  type AugmentationPlan,
  type ConsistentAugMix,
  planAugmentation,
} from "./step/augmentation.ts";
export type { ExecutionOptions } from "@convkit/graph";
export { checkPlan, type PlanParts } from "./plan/plan-checks.ts";
export { type Expectation, type Plan, type Recipe } from "./plan/plan.ts";
export { type RecipeName, recipes } from "./plan/recipes.ts";
export { balancedClassWeights } from "./objective/class-weights.ts";
export { trainingHealth, type TrainingHealth, type TrainingHealthOptions } from "./callbacks/training-health.ts";
export { readHealth } from "./health/health-file.ts";
export {
  type ActivationHealth,
  type HealthRecord,
  type HealthRequest,
  type StepHealth,
  updateRatio,
  type WeightHealth,
} from "./health/step-health.ts";
export { webhook, type WebhookOptions } from "./callbacks/webhook.ts";
export { train } from "./loop/train.ts";
export { fineTune, type FineTuneOptions, type FineTuneResult } from "./fine-tune/fine-tune.ts";
export { type FineTunePlan } from "./fine-tune/fine-tune-plan.ts";
export { crossValidate, type CrossValidateOptions, type CrossValidation } from "./cross-validation/cross-validate.ts";
export { type FoldStatistics } from "./cross-validation/fold-statistics.ts";
export { taskHeads, type TaskHeadsOptions } from "./model/task-heads.ts";
export { type ProgressOptions, showProgress } from "./callbacks/progress.ts";
export {
  type CheckpointOptions,
  type ResumeOptions,
  type RunResult,
  type Timings,
  type TrainOptions,
  type WeightAveraging,
} from "./loop/train-options.ts";
export { findLearningRate, type FindLearningRateOptions, type FoundLearningRate } from "./search/find-learning-rate.ts";
export { type RatePoint, type RateSuggestions } from "./search/rate-suggestions.ts";
export { type Distillation } from "./objective/distillation.ts";
export { mlflow, type MlflowOptions } from "./trackers/mlflow.ts";
export { trackio, type TrackioOptions } from "./trackers/trackio.ts";
export { track, type TrackOptions } from "./trackers/track.ts";
export { type TrackedEnd, type TrackedRun, type Tracker } from "./trackers/tracker.ts";
export { type SearchOptions, searchSettings, type SearchTrial } from "./search/search-settings.ts";
export { type DrawnSettings, type SearchRange, type SearchSpace } from "./search/search-space.ts";
