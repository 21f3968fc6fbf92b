import { palette } from "./charts/draw.ts";
import { type Html, html, trusted } from "./html.ts";

/** Colors of charts on dark ground. */
const darkChart = `svg [fill="#1f2937"] { fill: #e5e7eb; }
  svg [fill="#6b7280"] { fill: #9ca3af; }
  svg [stroke="#e5e7eb"], svg [stroke="#ffffff"] { stroke: #2b3442; }
  svg [stroke="#54555a"], svg [stroke="#6b7280"] { stroke: #7d8797; }`;

const style = `
:root { color-scheme: light dark; --ink: #1f2937; --faint: #5f6673; --line: #e5e7eb; --paper: #f5f6f8; --card: #fff; --accent: #2563eb; --wrong: #b42318; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 36px 24px 64px; }
header h1 { margin: 0; font-size: 30px; letter-spacing: -.02em; }
header p { margin: 4px 0 22px; color: var(--faint); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 14px; margin: 0 0 18px; }
.tile, section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.tile { padding: 14px 18px; }
.tile b { display: block; font-size: 24px; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
.tile span { color: var(--faint); font-size: 13px; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(430px, 100%), 1fr)); gap: 18px; }
section { padding: 18px 22px; min-width: 0; }
.scroll { overflow-x: auto; }
section h2 { margin: 0 0 10px; font-size: 16px; }
section p.note { margin: 4px 0 0; color: var(--faint); font-size: 13px; }
svg { max-width: 100%; height: auto; display: block; }
.curve svg { width: 100%; }
/* On a phone each chart is one that was drawn for its width: its letters stay readable, and nothing scrolls. */
.curve .narrow { display: none; }
@media (max-width: 560px) { .curve .narrow { display: block; } .curve .full { display: none; } }
.parts { display: flex; height: 34px; border-radius: 6px; overflow: hidden; margin: 4px 0 12px; }
.parts span { min-width: 2px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 0; padding: 0; list-style: none; font-size: 13px; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 7px; }
section.wide { grid-column: 1 / -1; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 5px 10px; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--faint); font-weight: 500; font-size: 13px; }
th:first-child, td:first-child { text-align: left; white-space: normal; overflow-wrap: break-word; }
tr:last-child td { border-bottom: 0; }
.bar { display: inline-block; height: 8px; border-radius: 4px; background: var(--accent); vertical-align: middle; margin-right: 8px; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(116px, 1fr)); gap: 14px; }
figure { margin: 0; }
figure img { width: 100%; aspect-ratio: 1; object-fit: contain; background: #0b1220; border-radius: 8px; image-rendering: auto; }
figure img.small { image-rendering: pixelated; }
figcaption { font-size: 13px; line-height: 1.35; margin-top: 4px; overflow-wrap: anywhere; }
figcaption em { color: var(--wrong); font-style: normal; }
figcaption small { color: var(--faint); }
pre { margin: 0; font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 1100px) { .bar { display: none; } }
@media (max-width: 560px) {
  main { padding: 22px 12px 40px; }
  section { padding: 14px; }
  th, td { padding: 4px 5px; font-size: 13px; }
  th { white-space: normal; vertical-align: bottom; }
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e5e7eb; --faint: #9ca3af; --line: #2b3442; --paper: #0d1320; --card: #161e2c; --accent: #5b8df6; --wrong: #f2867c; }
  ${darkChart}
}
@media print { body { background: #fff; } section { break-inside: avoid; } }
`;

/** A chart as a file of its own, which follows the reader's setting for light or dark. */
export function chartFile(svg: string): string {
  const own = `<style>svg { background: #fff; } @media (prefers-color-scheme: dark) { svg { background: #161e2c; } ${darkChart} }</style>`;
  return svg.replace(/^<svg [^>]*>/, (start) => start + own);
}

/** A complete page without links to other files. */
export function page(title: string, subtitle: string, content: readonly Html[]): string {
  const body = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${trusted(style)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <h1>${title}</h1>
            <p>${subtitle}</p>
          </header>
          ${content}
        </main>
      </body>
    </html> `;
  return body.html;
}

/** A row of big numbers with their labels. */
export function tiles(values: readonly (readonly [value: string, what: string])[]): Html {
  return html`<div class="tiles">
    ${values.map(([value, what]) => html`<div class="tile"><b>${value}</b><span>${what}</span></div>`)}
  </div>`;
}

/** Sections side by side if the page is wide enough. */
export function grid(sections: readonly Html[]): Html {
  return html`<div class="grid">${sections}</div>`;
}

/** A card with a heading. */
export function section(
  title: string,
  content: Html,
  options: { readonly wide?: boolean; readonly note?: string } = {},
): Html {
  const { wide = false, note } = options;
  const small = note === undefined ? html`` : html`<p class="note">${note}</p>`;
  return html`<section class="${wide ? "wide" : ""}">
    <h2>${title}</h2>
    ${content}${small}
  </section>`;
}

/** A table; the first column is text, the others numbers. */
export function tableOf(titles: readonly string[], rows: readonly (readonly (string | Html)[])[]): Html {
  const head = titles.map((title) => html`<th>${title}</th>`);
  const body = rows.map(
    (row) =>
      html`<tr>
        ${row.map((cell) => html`<td>${cell}</td>`)}
      </tr>`,
  );
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
  </div>`;
}

/** A stacked bar of named parts of a whole. */
export function partsOf(values: Readonly<Record<string, number>>): Html {
  const total = Object.values(values).reduce((sum, value) => sum + value, 0) || 1;
  const parts = Object.entries(values).map(([name, value], index) => ({
    name,
    share: value / total,
    color: palette[index % palette.length]!,
  }));
  const shares = parts.map(({ share, color }) => html`<span style="flex: ${share} 1 0; background: ${color}"></span>`);
  const names = parts.map(
    ({ name, share, color }) =>
      html`<li><i style="background: ${color}"></i>${name} ${(share * 100).toFixed(1)} %</li>`,
  );
  return html`<div class="parts" aria-hidden="true">${shares}</div>
    <ul class="legend">
      ${names}
    </ul>`;
}

/** A chart as wide as its container, drawn twice: for `width` pixels, and for a phone, where letters of the first would be too small. */
export function curve(draw: (width: number) => string, width = 560): Html {
  return html`<div class="curve">
    <div class="full">${trusted(draw(width))}</div>
    <div class="narrow">${trusted(draw(phone))}</div>
  </div>`;
}

/** The width of a section's content in a window of 390 pixels. */
const phone = 336;

/** A list of names with their values. */
export function facts(values: Readonly<Record<string, string>>): Html {
  return html`<dl>
    ${Object.entries(values).map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}
