/** A training run that cannot start or go on, told in one sentence. */
export class TrainerError extends Error {
  override readonly name = "TrainerError";
}
