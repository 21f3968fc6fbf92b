import type { Picture } from "./picture.ts";

type Color = readonly [hue: number, saturation: number, value: number];

/** Changes colors as hue, saturation and value; a gray image has only the last. */
export function onColors({ channels, values }: Picture, change: (color: Color) => Color): Float64Array {
  if (channels === 1) return values.map((value) => change([0, 0, value])[2]);
  const made = new Float64Array(values.length);
  for (let i = 0; i < values.length; i += 3) {
    const rgb = rgbOf(change(hsvOf(values[i]!, values[i + 1]!, values[i + 2]!)));
    made.set(rgb, i);
  }
  return made;
}

function hsvOf(red: number, green: number, blue: number): Color {
  const value = Math.max(red, green, blue);
  const range = value - Math.min(red, green, blue);
  if (range === 0) return [0, 0, value];
  const sector =
    value === red ? (green - blue) / range : value === green ? 2 + (blue - red) / range : 4 + (red - green) / range;
  return [(((sector / 6) % 1) + 1) % 1, range / value, value];
}

function rgbOf([hue, saturation, value]: Color): [number, number, number] {
  const sector = Math.floor(hue * 6);
  const part = hue * 6 - sector;
  const [low, falling, rising] = [
    value * (1 - saturation),
    value * (1 - part * saturation),
    value * (1 - (1 - part) * saturation),
  ] as const;
  const all: [number, number, number][] = [
    [value, rising, low],
    [falling, value, low],
    [low, value, rising],
    [low, falling, value],
    [rising, low, value],
    [value, low, falling],
  ];
  return all[sector % 6]!;
}
