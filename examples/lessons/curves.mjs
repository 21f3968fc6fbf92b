// Curves over a logarithmic axis, or with `linear` over one from 0 to 100, as an SVG document.

const colors = ["#2f6db5", "#b8690f", "#4b8a2c", "#b73a4b", "#6b4cb8"];

/** `curves`: `{ name, points: [x, y][] }`, every y above 0 unless the axis is linear. */
export function curvesSvg(title, axis, curves, { linear = false } = {}) {
  const [left, top, width, height] = [64, 44, 520, 300];
  const all = curves.flatMap(({ points }) => points);
  const xs = all.map(([x]) => x);
  const powers = all.map(([, y]) => Math.log10(y)).filter(Number.isFinite);
  const [low, high] = linear ? [0, 100] : [Math.floor(Math.min(...powers)), Math.ceil(Math.max(...powers))];
  const px = (x) => left + ((x - Math.min(...xs)) / (Math.max(...xs) - Math.min(...xs))) * width;
  const place = (y) => (linear ? y : Math.log10(y));
  const py = (y) => top + (1 - (place(y) - low) / (high - low)) * height;
  const step = linear ? 20 : Math.ceil((high - low) / 8);
  const lines = Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, i) => low + i * step);
  const total = top + height + 56 + curves.length * 20;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="620" height="${total}" viewBox="0 0 620 ${total}" role="img" aria-label="${title}">`,
    `<title>${title}</title><style>text{font:12px Helvetica,Arial,sans-serif;fill:#1c2430}.ground{fill:#fff}.line{stroke:#7b879455}`,
    `path{fill:none;stroke-width:2}@media(prefers-color-scheme:dark){text{fill:#eef1f4}.ground{fill:#14171b}}</style>`,
    `<rect class="ground" width="620" height="${total}"/><text x="16" y="24" style="font-weight:600;font-size:14px">${title}</text>`,
    ...lines.map((line) => {
      const y = py(linear ? line : 10 ** line);
      return `<path class="line" style="stroke-width:1" d="M${left} ${y}h${width}"/><text x="${left - 8}" y="${y + 4}" text-anchor="end">${linear ? line : `1e${line}`}</text>`;
    }),
    ...new Set(xs.map((x) => `<text x="${px(x)}" y="${top + height + 18}" text-anchor="middle">${x}</text>`)),
    `<text x="${left + width / 2}" y="${top + height + 36}" text-anchor="middle">${axis}</text>`,
    ...curves.map(({ name, points }, i) => {
      const path = points.filter(([, y]) => linear || y > 0).map(([x, y]) => `${px(x).toFixed(1)} ${py(y).toFixed(1)}`);
      const y = top + height + 60 + i * 20;
      return `<path stroke="${colors[i]}" d="M${path.join("L")}"/><path stroke="${colors[i]}" d="M${left} ${y - 4}h24"/><text x="${left + 32}" y="${y}">${name}</text>`;
    }),
    "</svg>\n",
  ].join("\n");
}
