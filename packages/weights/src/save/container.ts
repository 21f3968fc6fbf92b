/** Containers of weights alone. */
export type WeightsContainer = "safetensors" | "torch" | "npz" | "hdf5";

const endings: readonly (readonly [RegExp, WeightsContainer])[] = [
  [/\.safetensors$/i, "safetensors"],
  [/\.(pth|pt|ckpt|bin)$/i, "torch"],
  [/\.npz$/i, "npz"],
  [/\.(h5|hdf5)$/i, "hdf5"],
];

/** The container that a path's ending names; undefined for other endings. */
export function containerOf(path: string): WeightsContainer | undefined {
  return endings.find(([ending]) => ending.test(path))?.[1];
}
