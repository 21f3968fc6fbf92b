import { type Cluster, GraphError, type Member, membersOf, type Task } from "@convkit/graph";
import { shown } from "@convkit/errors";
import { UsageError } from "../terminal/usage-error.ts";

/** A process' place among several that train together. */
export interface Seat {
  readonly cluster: Cluster;
  readonly task: Task;
  /** All workers, the chief first. */
  readonly members: readonly Member[];
  /** This worker's number among them; the chief's is 0. */
  readonly rank: number;
}

/** Keys beside cluster and task that others set: Kubeflow and Google's AI Platform tell where they run, Keras names the protocol. */
const otherKeys: Readonly<Record<string, (value: unknown) => boolean>> = {
  environment: (value) => typeof value === "string",
  rpc_layer: (value) => value === "grpc",
};

/** Tasks of TensorFlow's clusters that convkit has not, and what takes their place. */
const unknownJobs: Readonly<Record<string, string>> = {
  evaluator: "the workers validate together, and the chief evaluates at the end: start no evaluator",
  ps: "gradients are summed by all workers: start workers instead of parameter servers",
  master: "name it chief",
};

/**
 * The place that the variable `TF_CONFIG` gives this process, which Keras, Kubeflow and convkit read alike; undefined if the variable is not
 * set, or names one process alone. Throws `UsageError` for what cannot be a place.
 */
export function readTfConfig(text: string | undefined): Seat | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  const { cluster, task, ...others } = recordOf(parsed(text), "the variable");
  for (const [key, value] of Object.entries(others))
    if (!Object.hasOwn(otherKeys, key) || !otherKeys[key]!(value))
      throw new UsageError(`TF_CONFIG: expected the keys cluster and task, got ${shown({ [key]: value })}.`);
  const jobs = recordOf(cluster, "cluster");
  const { type, index } = recordOf(task, "task");
  for (const job of [...Object.keys(jobs), type])
    if (typeof job === "string" && Object.hasOwn(unknownJobs, job))
      throw new UsageError(`TF_CONFIG: expected tasks of the types chief and worker, got ${job}: ${unknownJobs[job]}.`);
  // TensorFlow reads "1" as 1.
  const place = typeof index === "string" && /^\d+$/.test(index) ? Number(index) : index;
  const seat = { cluster: jobs as Cluster, task: { ...(task as Task), index: place as number } };
  try {
    const { members, rank } = membersOf(seat.cluster, seat.task, "TF_CONFIG");
    return members.length === 1 ? undefined : { ...seat, members, rank };
  } catch (error) {
    if (error instanceof GraphError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(
      `TF_CONFIG: expected JSON as in {"cluster": {"worker": ["host:port", …]}, "task": {"type": "worker", "index": 0}}, got ${shown(text)}: ${(error as Error).message}.`,
      { cause: error },
    );
  }
}

function recordOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError(`TF_CONFIG: expected ${what} to be an object, got ${shown(value)}.`);
  return value as Record<string, unknown>;
}
