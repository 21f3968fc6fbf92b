import { writeFileAtomic } from "@convkit/files";
import { html, trusted } from "@convkit/report/internal";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";
import { pngOf } from "./svg-png.ts";

const formats = ["svg", "png", "html"] as const;

/** The format of a drawing, which may be a page, by the ending of its file. Throws a `UsageError` for another ending. */
export function pictureFormat(out: string): (typeof formats)[number] {
  const found = formats.find((format) => out.toLowerCase().endsWith(`.${format}`));
  if (found !== undefined) return found;
  throw new UsageError(`Cannot tell the format of ${out}: it must end in .svg, .png or .html.`);
}

/** Writes an SVG document as it is, as PNG, or with its title and text as a page. */
export async function writePicture(out: string, svg: string, text: string, title: string): Promise<void> {
  const format = pictureFormat(out);
  const data = format === "svg" ? svg : format === "png" ? await pngOf(svg) : pageOf(svg, text, title);
  await writeFileAtomic(userPath(out), data);
}

function pageOf(svg: string, text: string, title: string): string {
  const style =
    ":root{color-scheme:light dark}body{margin:16px auto;max-width:960px;padding:0 16px;font:15px/1.5 system-ui,sans-serif}h1{font-size:20px;margin:0 0 12px}svg{max-width:100%;height:auto}pre{overflow:auto;margin:12px 0;font-size:13px}.sentences{white-space:pre-wrap;overflow-wrap:anywhere}";
  return html`<!doctype html>
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
          <h1>${title}</h1>
          ${trusted(svg)}
          ${partsOf(text).map(({ isAligned, lines }) =>
            isAligned
              ? html`<pre tabindex="0">${lines.join("\n")}</pre>`
              : html`<pre class="sentences">${lines.join("\n")}</pre>`,
          )}
        </main>
      </body>
    </html> `.html;
}

/** Runs of lines that stand in columns, which keep their width, and of sentences, which wrap on a narrow screen. */
function partsOf(text: string): { isAligned: boolean; lines: string[] }[] {
  const parts: { isAligned: boolean; lines: string[] }[] = [];
  for (const line of text.split("\n")) {
    const isAligned = / {2}|^[ []/.test(line);
    const last = parts.at(-1);
    if (last !== undefined && (line === "" || last.isAligned === isAligned)) last.lines.push(line);
    else parts.push({ isAligned, lines: [line] });
  }
  return parts;
}
