import { type RandomSource, seededRandom } from "@convkit/datasets";
import { executable, type Executable, type ExecutionOptions, isTracing, type Settle } from "@convkit/graph";
import * as tf from "@tensorflow/tfjs-core";
import type { HealthProbe } from "../health/health-probe.ts";
import type { WorkerStep } from "../workers/worker-step.ts";
import { guardedLoss } from "./non-finite-loss.ts";
import { withSeededMath } from "./seeded-math.ts";
import { type StepParts, type StepValues, trainingLoss } from "./training-loss.ts";
import type { WeightUpdate } from "./weight-update.ts";

/** What a training step is made of. */
interface TrainingStep {
  readonly parts: StepParts;
  readonly update: WeightUpdate;
  readonly execution: ExecutionOptions;
  /** Whether gradients wait for those of further batches. */
  readonly isAccumulating: boolean;
  /** The exchange with other workers; undefined for a worker that is alone. */
  readonly together: WorkerStep | undefined;
  /** Steps that ran before this one; each has random numbers of its own. */
  runs(): number;
  /** Measures gradients, updates and activations, whose values the step then returns, too. */
  readonly probe: HealthProbe | undefined;
}

/** One training step: loss, gradients and the update of the weights. It gives the loss, the right classes and what the metrics need. */
export function trainingStep({
  parts,
  update,
  execution,
  isAccumulating,
  together,
  runs,
  probe,
}: TrainingStep): Executable {
  const { seed = 0, precision } = execution;
  // In float16, the graph itself skips steps that overflow.
  const check = precision === "float16" ? (loss: tf.Scalar) => loss : guardedLoss;
  // The workers check the loss over all of them, so that they fail together.
  const guard = together === undefined ? check : (loss: tf.Scalar) => loss;
  let waiting: { readonly images: number; readonly gradients: tf.NamedTensorMap } | undefined;
  const step = (...fed: tf.Tensor[]): tf.Tensor[] => {
    let measured: tf.Tensor[] = [];
    let own: StepValues | undefined;
    let activations: tf.Tensor1D | undefined;
    const batch = parts.layout.tensors(fed);
    const loss = (random?: RandomSource) => {
      const plain = () => trainingLoss(parts, batch, random);
      const forward = () => (together === undefined ? plain() : together.forward(parts.model, plain));
      const observed = probe?.activations(forward);
      activations = observed?.statistics;
      const made = observed?.made ?? forward();
      own = made;
      measured = [made.correct, ...made.statistics].map((each) => tf.keep(each));
      return guard(made.loss);
    };
    const ran = runs();
    // The optimizer computes the gradients, so that in float16 the graph scales the loss.
    const { value, grads } = update.optimizer.computeGradients(
      // A graph draws anew at every run; op by op, each step gets its own random numbers here.
      () => (isTracing() ? loss() : withSeededMath(seed, ran, () => loss(seededRandom(seed, ran)))),
      update.trainable,
    );
    if (together !== undefined) {
      const sums = together.sum({ ...own!, loss: value }, isAccumulating ? {} : grads, {
        movesNorms: true,
        guard: check,
      });
      const gradients = isAccumulating ? grads : sums.gradients;
      tf.dispose(measured);
      const apply = () => update.add(gradients, together.images.read());
      if (probe !== undefined) return [...sums.outputs, activations!, ...measurements(update, probe, gradients, apply)];
      apply();
      return sums.outputs;
    }
    const images = batch.images.shape[0];
    if (probe !== undefined) {
      const isFinite = isTracing() || Number.isFinite(value.dataSync()[0]);
      const apply = () => isFinite && update.add(grads, images);
      return [value, ...measured, activations!, ...measurements(update, probe, grads, apply)];
    }
    if (isTracing()) update.add(grads, images);
    // Some GPUs can only be read between two calls of JavaScript.
    else {
      for (const gradient of Object.values(grads)) tf.keep(gradient);
      waiting = { images, gradients: grads };
    }
    return [value, ...measured];
  };
  const settle: Settle = ([loss]) => {
    const { gradients, images } = waiting ?? {};
    waiting = undefined;
    if (gradients !== undefined && Number.isFinite(loss!.data[0])) tf.tidy(() => update.add(gradients, images!));
    tf.dispose(gradients);
  };
  return executable(step, execution, settle);
}

/** Runs `apply` and returns the norms of gradients and weights, and the gradients if they are asked for. */
function measurements(
  update: WeightUpdate,
  probe: HealthProbe,
  gradients: tf.NamedTensorMap,
  apply: () => unknown,
): tf.Tensor[] {
  const before = probe.before(update.trainable);
  const [norms, raw] = [probe.gradients(gradients), probe.outputs(gradients)];
  apply();
  return [norms, probe.update(before), ...raw];
}
