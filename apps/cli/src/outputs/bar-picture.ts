import { pictureStyle, svgText } from "./picture-colors.ts";

/** One bar: its name on the left, its number as text on the right. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly text: string;
  /** Drawn in the second color; false by default. */
  readonly marked?: boolean | undefined;
}

/** Bars that belong together. */
export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const [row, head, margin, longest, letter] = [22, 34, 16, 360, 6.8];

/**
 * Groups of bars, one below the other, as an SVG document. The longest bar of each group has the group's largest value, or with
 * `oneScale` the largest of all.
 */
export function barPicture(title: string, groups: readonly BarGroup[], { oneScale = false } = {}): string {
  const bars = groups.flatMap((group) => group.bars);
  const names = Math.max(...bars.map(({ name }) => name.length)) * letter + 12;
  const texts = Math.max(...bars.map(({ text }) => text.length)) * letter + 12;
  const width = Math.ceil(Math.max(2 * margin + names + longest + texts, title.length * 8.2 + 2 * margin));
  let y = 34;
  const parts = groups.flatMap((group) => {
    const most = Math.max(...(oneScale ? bars : group.bars).map(({ value }) => value), Number.MIN_VALUE);
    y += head;
    const start = y;
    y += group.bars.length * row;
    return [
      `<text class="head" font-size="12" x="${margin}" y="${start - 8}">${svgText(group.title)}</text>`,
      ...group.bars.map(({ name, value, text, marked = false }, i) => {
        const top = start + i * row;
        const long = Math.max(1, (value / most) * longest).toFixed(1);
        const x = margin + names;
        return [
          `<text font-size="12" x="${margin}" y="${top + 15}">${svgText(name)}</text>`,
          `<rect class="${marked ? "marked" : "bar"}" x="${x}" y="${top + 3}" width="${long}" height="${row - 6}"/>`,
          `<text class="small" font-size="12" x="${(x + Number(long) + 6).toFixed(1)}" y="${top + 15}">${svgText(text)}</text>`,
        ].join("");
      }),
    ];
  });
  const height = y + margin;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${svgText(title)}">`,
    `<title>${svgText(title)}</title><style>${pictureStyle}</style><rect class="ground" width="${width}" height="${height}"/>`,
    `<text class="head" font-size="14" x="${margin}" y="26">${svgText(title)}</text>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}
