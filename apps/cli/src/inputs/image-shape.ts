/** The image size a model takes; where it takes any, 224 by 224. */
export function imageShape(name: string, input: readonly (number | null)[]): [number, number, 1 | 3] {
  const [, height, width, channels] = input;
  if (channels !== 1 && channels !== 3)
    throw new Error(`${name} takes arrays of ${String(channels)} channels, not images: use convkit run.`);
  return [height ?? 224, width ?? 224, channels];
}
