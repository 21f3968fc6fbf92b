import { stretched } from "../maps/resize-map.ts";
import { imagePixels, mapPixels } from "./pixels.ts";
import type { ColorMapName, Pixels } from "./pixels.ts";

/** How tiles are laid out. */
export interface SheetOptions {
  /** Tiles in a row; as many as make the sheet about square by default. */
  readonly columns?: number | undefined;
  /** Pixels between tiles; 1 by default. */
  readonly gap?: number | undefined;
  /** The most tiles; 64 by default. */
  readonly limit?: number | undefined;
}

/** Pictures of one size on one sheet, see-through between them. */
export function sheetPixels(tiles: readonly Pixels[], options: SheetOptions = {}): Pixels {
  const { gap = 1, columns = Math.ceil(Math.sqrt(tiles.length)) } = options;
  const [w, h] = [tiles[0]?.width ?? 0, tiles[0]?.height ?? 0];
  const rows = Math.ceil(tiles.length / columns);
  const width = columns * (w + gap) - gap;
  const height = rows * (h + gap) - gap;
  const data = new Uint8ClampedArray(4 * width * height);
  tiles.forEach((tile, i) => {
    const [left, top] = [(i % columns) * (w + gap), Math.floor(i / columns) * (h + gap)];
    for (let y = 0; y < h; y++) {
      data.set(tile.data.subarray(4 * y * w, 4 * (y + 1) * w), 4 * ((top + y) * width + left));
    }
  });
  return { width, height, data };
}

export interface FeatureMapPixelsOptions extends SheetOptions {
  /** Colors of the tiles; `"viridis"` by default. */
  readonly colors?: ColorMapName | undefined;
}

/** The channels of a feature map side by side, each stretched to its own range: `[h, w, c]`. */
export function featureMapPixels(
  map: { readonly shape: readonly [number, number, number]; readonly values: Float32Array },
  options: FeatureMapPixelsOptions = {},
): Pixels {
  const { limit = 64, colors = "viridis", ...layout } = options;
  const [height, width, channels] = map.shape;
  const tiles = Array.from({ length: Math.min(channels, limit) }, (_, channel) => {
    const values = Float32Array.from(
      { length: height * width },
      (__, i) => map.values[i * channels + channel] as number,
    );
    return mapPixels(stretched(values), [height, width], colors);
  });
  return sheetPixels(tiles, layout);
}

/**
 * The filters of a convolution side by side: in color for three channels, else the mean over the channels in gray; each
 * stretched to its own range. `[h, w, c, filters]`
 */
export function filterPixels(
  filters: { readonly shape: readonly [number, number, number, number]; readonly values: Float32Array },
  options: SheetOptions = {},
): Pixels {
  const { limit = 64, ...layout } = options;
  const [height, width, channels, count] = filters.shape;
  const shown = channels === 3 ? 3 : 1;
  const tiles = Array.from({ length: Math.min(count, limit) }, (_, filter) => {
    const at = (tap: number, channel: number): number =>
      filters.values[(tap * channels + channel) * count + filter] as number;
    const values = Array.from({ length: height * width * shown }, (__, i) => {
      if (shown === 3) return at(Math.floor(i / 3), i % 3);
      return Array.from({ length: channels }, (___, channel) => at(i, channel)).reduce((a, b) => a + b, 0) / channels;
    });
    return imagePixels(values, [height, width, shown]);
  });
  return sheetPixels(tiles, layout);
}
