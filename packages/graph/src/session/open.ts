import { GraphError } from "../graph-error.ts";
import { encode } from "../native/protos.ts";
import { Session } from "./session.ts";
import type { RunQueue } from "./run-queue.ts";
import { activeWorker, type ActiveWorker } from "../distributed/active-worker.ts";
import { clusterConfig } from "../distributed/server.ts";
import { configProto } from "./config.ts";
import type { SessionConfig } from "./config.ts";
import { bufferBytes, checked, tensorflow } from "../native/c-api.ts";
import type { Handle } from "../native/c-api.ts";

/** Opens a session with an empty graph, whose runs wait for those of the queue. */
export function openSession(config: SessionConfig, queue?: RunQueue): Session {
  const tf = tensorflow();
  const worker = config.isLocal === true ? undefined : activeWorker();
  const options = sessionOptions(config, worker);
  const graph = tf.TF_NewGraph() as Handle;
  try {
    return new Session(
      graph,
      checked((status) => tf.TF_NewSession(graph, options, status) as Handle, "a session"),
      { queue, worker },
    );
  } finally {
    tf.TF_DeleteSessionOptions(options);
  }
}

/**
 * Opens a session with a SavedModel's graph and variables, without blocking JavaScript. Also returns the model's
 * MetaGraphDef message.
 */
export async function loadSession(
  config: SessionConfig,
  folder: string,
  tags: readonly string[],
): Promise<{ session: Session; metaGraph: Uint8Array }> {
  const tf = tensorflow();
  const options = sessionOptions(config);
  const graph = tf.TF_NewGraph() as Handle;
  const metaGraph = tf.TF_NewBuffer() as Handle;
  const status = tf.TF_NewStatus() as Handle;
  try {
    const session = await new Promise<Handle>((resolve, reject) => {
      const args = [options, 0, folder, tags, tags.length, graph, metaGraph, status];
      tf.TF_LoadSessionFromSavedModel.async(...args, (error: unknown, loaded: Handle) =>
        error ? reject(error) : resolve(loaded),
      );
    });
    if (tf.TF_GetCode(status) !== 0) {
      tf.TF_DeleteGraph(graph);
      throw new GraphError(`TensorFlow refused the SavedModel ${folder}: ${tf.TF_Message(status)}`);
    }
    return { session: new Session(graph, session), metaGraph: bufferBytes(metaGraph) };
  } finally {
    tf.TF_DeleteStatus(status);
    tf.TF_DeleteBuffer(metaGraph);
    tf.TF_DeleteSessionOptions(options);
  }
}

function sessionOptions(config: SessionConfig, worker?: ActiveWorker): Handle {
  const tf = tensorflow();
  if (config.deterministic === true) {
    if (tf.enableOpDeterminism === undefined)
      throw new GraphError("This TensorFlow is too old to be deterministic; run with threads: 1 instead.");
    tf.enableOpDeterminism(true);
  }
  const options = tf.TF_NewSessionOptions() as Handle;
  const proto = encode("ConfigProto", {
    ...configProto(config, { isServed: worker !== undefined }),
    ...(worker && clusterConfig(worker.members, worker.self)),
  });
  if (worker !== undefined) tf.TF_SetTarget(options, worker.target);
  checked((status) => tf.TF_SetConfig(options, proto, proto.length, status), "the session's configuration");
  return options;
}
