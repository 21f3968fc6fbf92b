import type { MeasuredReceptiveField } from "@convkit/inspect";
import sharp from "sharp";
import { pictureStyle, svgText } from "./picture-colors.ts";

const [left, top, profile, gap] = [44, 64, 80, 14];

/**
 * The measured field as an SVG document: the weight of each pixel, bright where it is large, with axes in pixels; a green box around
 * the exact field, an orange one around 95 % of the weight; and beside it the weights of rows and columns with the fitted Gaussian.
 */
export async function fieldPicture(field: MeasuredReceptiveField): Promise<string> {
  const [height, width] = field.size;
  const scale = Math.max(1, Math.floor(448 / Math.max(height, width)));
  const [high, wide] = [height * scale, width * scale];
  const [total, tall] = [Math.max(left + wide + gap + profile + 16, 420), top + high + gap + profile + 44];
  const title = `What the center of ${field.layer} sees of ${height}x${width} pixels`;
  const told = `exact ${field.theoretical.join("x")} (green), 95 % of the weight within ${field.effective.join("x")} (orange)`;
  const sums = profilesOf(field);
  const along = (values: readonly number[], axis: 0 | 1): Profile => profilePaths(values, field, axis, scale);
  const [rows, columns] = [along(sums.rows, 0), along(sums.columns, 1)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${total}" height="${tall}" viewBox="0 0 ${total} ${tall}" role="img" aria-label="${svgText(title)}">`,
    `<title>${svgText(title)}</title><style>${pictureStyle}</style><rect class="ground" width="${total}" height="${tall}"/>`,
    `<text class="head" font-size="14" x="16" y="24">${svgText(title)}</text><text class="small" font-size="12" x="16" y="42">${told}</text>`,
    `<g transform="translate(${left} ${top})"><image width="${wide}" height="${high}" href="${await heatMap(field, scale)}"/>`,
    axes(height, width, scale),
    boxes(field, scale),
    "</g>",
    // Weights of rows: the curve turned by a quarter, so that its height points to the right.
    `<g transform="translate(${left + wide + gap} ${top}) matrix(0 1 1 0 0 0)"><path class="line" d="${rows.weights}"/><path class="curve" d="${rows.gaussian}"/></g>`,
    `<g transform="translate(${left} ${top + high + gap + profile + 18}) scale(1 -1)"><path class="line" d="${columns.weights}"/><path class="curve" d="${columns.gaussian}"/></g>`,
    `<text class="small" font-size="11" x="16" y="${tall - 4}">weights of rows and columns; red: Gaussian, deviation ${field.gaussian.deviation.map((each) => each.toFixed(1)).join("x")}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

async function heatMap({ weights, size: [height, width] }: MeasuredReceptiveField, scale: number): Promise<string> {
  // The square root makes the faint rim visible.
  const pixels = Uint8Array.from(weights, (weight) => Math.round(Math.sqrt(weight) * 255));
  const png = await sharp(pixels, { raw: { width, height, channels: 1 } })
    .resize(width * scale, height * scale, { kernel: "nearest" })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}

/** Ticks at round numbers of pixels. */
function axes(height: number, width: number, scale: number): string {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((each) => Math.max(height, width) / each <= 8) ?? 2000;
  const ticks = (length: number): number[] => Array.from({ length: Math.floor(length / step) + 1 }, (_, i) => i * step);
  const across = ticks(width).map(
    (x) =>
      `<path class="line" d="M${x * scale} 0v-5"/><text class="small" font-size="10" text-anchor="middle" x="${x * scale}" y="-8">${x}</text>`,
  );
  const down = ticks(height).map(
    (y) =>
      `<path class="line" d="M0 ${y * scale}h-5"/><text class="small" font-size="10" text-anchor="end" x="-8" y="${y * scale + 4}">${y}</text>`,
  );
  return [...across, ...down].join("");
}

/** The exact field as far as it lies in the image, and the middle part that holds 95 % of the weight. */
function boxes(field: MeasuredReceptiveField, scale: number): string {
  const { size, theoretical, effective, offset, position, stride } = field;
  const rect = (name: string, from: readonly number[], to: readonly number[]): string => {
    const [y, x] = from.map((each) => Math.max(0, each) * scale) as [number, number];
    const [bottom, right] = to.map((each, axis) => Math.min(size[axis] as number, each) * scale) as [number, number];
    return `<rect class="${name}" x="${x}" y="${y}" width="${right - x}" height="${bottom - y}"/>`;
  };
  const middle = size.map((side, axis) => (side - (effective[axis] as number)) / 2);
  const inner = rect(
    "effective",
    middle,
    middle.map((start, axis) => start + (effective[axis] as number)),
  );
  if (offset === undefined) return inner;
  const start = offset.map((each, axis) => each + (position[axis] as number) * (stride[axis] as number));
  const end = start.map((each, axis) => each + (theoretical[axis] as number));
  return rect("exact", start, end) + inner;
}

function profilesOf({ weights, size: [height, width] }: MeasuredReceptiveField): { rows: number[]; columns: number[] } {
  const [rows, columns] = [Array.from({ length: height }, () => 0), Array.from({ length: width }, () => 0)];
  weights.forEach((weight, i) => {
    rows[Math.floor(i / width)]! += weight;
    columns[i % width]! += weight;
  });
  return { rows, columns };
}

interface Profile {
  readonly weights: string;
  readonly gaussian: string;
}

/** The weights along an axis as steps, and the Gaussian of the same sum, center and deviation. */
function profilePaths(
  values: readonly number[],
  { gaussian }: MeasuredReceptiveField,
  axis: 0 | 1,
  scale: number,
): Profile {
  const sum = values.reduce((a, b) => a + b, 0);
  const [center, deviation] = [gaussian.center[axis], Math.max(gaussian.deviation[axis], 1e-6)];
  const bell = values.map(
    (_, i) => (sum / (deviation * Math.sqrt(2 * Math.PI))) * Math.exp(-((i - center) ** 2) / (2 * deviation ** 2)),
  );
  const most = Math.max(...values, ...bell, Number.MIN_VALUE);
  const y = (value: number): string => ((value / most) * profile).toFixed(1);
  return {
    weights: `M0 0${values.map((value, i) => `V${y(value)}H${(i + 1) * scale}`).join("")}V0`,
    gaussian: `M${bell.map((value, i) => `${((i + 0.5) * scale).toFixed(1)} ${y(value)}`).join("L")}`,
  };
}
