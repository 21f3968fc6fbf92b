import type { EffectiveReceptiveField } from "@convkit/core";
import { pictureStyle, svgText } from "./picture-colors.ts";

const [wide, high, left, top] = [560, 220, 48, 60];

/** The weight of each pixel along one axis as bars, with the Gaussian of the same deviation, as an SVG document. */
export function profilePicture(name: string, { size, weights, deviation, effective }: EffectiveReceptiveField): string {
  const center = (size - 1) / 2;
  const bell = Array.from({ length: 4 * size + 1 }, (_, i) => {
    const x = i / 4 - 0.5;
    const y =
      deviation === 0
        ? 0
        : Math.exp(-((x - center) ** 2) / (2 * deviation ** 2)) / (deviation * Math.sqrt(2 * Math.PI));
    return [x, y] as const;
  });
  const most = Math.max(...weights, ...bell.map(([, y]) => y));
  const x = (pixel: number): string => (left + ((pixel + 0.5) / size) * wide).toFixed(1);
  const y = (weight: number): string => (top + high - (weight / most) * high).toFixed(1);
  const step = Math.ceil(size / 16);
  const title = `${name}: ${size}x${size} pixels, and how much each counts along one axis`;
  const told = `deviation ${deviation.toFixed(2)} pixels, about 95 % of the weight within ${effective.toFixed(1)} (red: Gaussian)`;
  const bars = Array.from(weights, (weight, i) => {
    const width = (wide / size) * 0.8;
    return `<rect class="bar" x="${(Number(x(i)) - width / 2).toFixed(1)}" y="${y(weight)}" width="${width.toFixed(1)}" height="${(top + high - Number(y(weight))).toFixed(1)}"/>`;
  });
  const ticks = Array.from({ length: Math.ceil(size / step) }, (_, i) => i * step).map(
    (pixel) =>
      `<text class="small" font-size="11" text-anchor="middle" x="${x(pixel)}" y="${top + high + 16}">${pixel + 1}</text>`,
  );
  const scale = [0, 0.5, 1].map(
    (part) =>
      `<text class="small" font-size="11" text-anchor="end" x="${left - 6}" y="${Number(y(part * most)) + 4}">${(100 * part * most).toFixed(0)} %</text>`,
  );
  const [width, height] = [Math.max(left + wide + 16, title.length * 8 + 32), top + high + 44];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${svgText(title)}">`,
    `<title>${svgText(title)}</title><style>${pictureStyle}</style><rect class="ground" width="${width}" height="${height}"/>`,
    `<text class="head" font-size="14" x="16" y="24">${svgText(title)}</text><text class="small" font-size="12" x="16" y="42">${told}</text>`,
    ...bars,
    `<path class="line" d="M${left} ${top + high}h${wide}"/>`,
    `<path class="curve" d="M${bell.map(([at, weight]) => `${x(at)} ${y(weight)}`).join("L")}"/>`,
    ...ticks,
    ...scale,
    `<text class="small" font-size="11" text-anchor="middle" x="${left + wide / 2}" y="${top + high + 34}">pixel</text>`,
    "</svg>",
    "",
  ].join("\n");
}
