import { writeFileAtomic } from "@convkit/files";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";
import { pngOf } from "./svg-png.ts";

/** The format of a picture by the ending of its file. Throws a `UsageError` for another ending. */
export function pictureFormat(out: string): "svg" | "png" | "html" {
  const ending = /\.(svg|png|html)$/i.exec(out)?.[1]?.toLowerCase();
  if (ending === undefined)
    throw new UsageError(`Cannot tell the format of ${out}: it must end in .svg, .png or .html.`);
  return ending as "svg" | "png" | "html";
}

/** Writes an SVG document as it is, as PNG, or with its text as a page. */
export async function writePicture(out: string, svg: string, text: string): Promise<void> {
  const format = pictureFormat(out);
  const data = format === "svg" ? svg : format === "png" ? await pngOf(svg) : pageOf(svg, text);
  await writeFileAtomic(userPath(out), data);
}

function pageOf(svg: string, text: string): string {
  const safe = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const style =
    ":root{color-scheme:light dark}body{margin:16px auto;max-width:960px;padding:0 16px;font:15px/1.5 system-ui,sans-serif}svg{max-width:100%;height:auto}pre{overflow:auto;font-size:13px}";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>convkit explain</title><style>${style}</style></head>
<body>${svg}<pre>${safe}</pre></body></html>
`;
}
