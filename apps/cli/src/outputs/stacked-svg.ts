import { html } from "@convkit/report/internal";
import { svgSize } from "./svg-png.ts";

const caption = 34;
const ground = /<rect class="ground"[^>]*\/>/;

/** Drawings of one style under each other, each below its title. */
export function stackedSvg(parts: readonly { readonly title: string; readonly svg: string }[]): string {
  const sizes = parts.map(({ svg }) => svgSize(svg));
  const width = Math.max(...sizes.map((size) => size.width), ...parts.map(({ title }) => title.length * 8 + 32));
  const height = sizes.reduce((sum, size) => sum + size.height + caption, 0);
  let top = 0;
  const drawn = parts.map(({ title, svg }, i) => {
    const y = top;
    top += sizes[i]!.height + caption;
    const text = html`<text class="head" x="16" y="${y + 24}" font-size="14">${title}</text>`.html;
    return `${text}${svg.replace("<svg ", `<svg x="0" y="${y + caption}" `).replace(ground, "")}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect class="ground" style="stroke:none" width="${width}" height="${height}"/>${drawn.join("\n")}</svg>\n`;
}
