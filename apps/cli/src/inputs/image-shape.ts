import type { ImageFit } from "@convkit/core";
import { shown } from "@convkit/errors";
import { CliError } from "../terminal/usage-error.ts";

/** Height, width and channels of a model's input; 224 by 224 if the model takes any size and states none. */
export function imageShape(
  name: string,
  input: readonly (number | null)[],
  { size = [224, 224] }: ImageFit,
): [number, number, 1 | 3] {
  const [, height, width, channels] = input;
  if (input.length !== 4)
    throw new CliError(`${name} takes arrays of shape ${shown(input)}, not images: use convkit run.`);
  if (channels !== 1 && channels !== 3)
    throw new CliError(`${name} takes arrays of ${String(channels)} channels, not images: use convkit run.`);
  return [height ?? size[0], width ?? size[1], channels];
}
