import { CliError } from "../terminal/usage-error.ts";

/** Height, width and channels of the images that a model takes; 224 by 224 if it takes any size. */
export function imageShape(name: string, input: readonly (number | null)[]): [number, number, 1 | 3] {
  const [, height, width, channels] = input;
  if (channels !== 1 && channels !== 3)
    throw new CliError(`${name} takes arrays of ${String(channels)} channels, not images: use convkit run.`);
  return [height ?? 224, width ?? 224, channels];
}
