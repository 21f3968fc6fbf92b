import { ConvkitError } from "@convkit/errors";

/**
 * A worker of the cluster did not start, ended, or stands still. This process's collective ops have failed for good, as in every TensorFlow
 * cluster: start all workers anew, from the last checkpoint.
 */
export class PeerError extends ConvkitError {
  override readonly name = "PeerError";
  readonly code = "CONVKIT_PEER";
  /** The names of the workers that do not answer, such as `worker 1`; empty if all answer and one is only too slow, or failed itself. */
  readonly peers: readonly string[];

  constructor(message: string, peers: readonly string[], options?: ErrorOptions) {
    super(message, options);
    this.peers = peers;
  }
}
