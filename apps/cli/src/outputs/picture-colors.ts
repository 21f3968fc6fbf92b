/** Ground, text and marks of the pictures that the command draws itself, in the reader's light or dark setting. */
export const pictureStyle: string = [
  "text{font-family:Helvetica,Arial,sans-serif;fill:#1c2430}.head{font-weight:600}.small{fill:#4d5866}",
  ".ground{fill:#fff}.bar{fill:#79aef0}.marked{fill:#e0912f}.line{stroke:#7b8794;fill:none}",
  ".exact{stroke:#2f9e44;fill:none;stroke-width:2}.effective{stroke:#e07b00;fill:none;stroke-width:2}.curve{stroke:#c92a2a;fill:none;stroke-width:1.5}",
  "@media (prefers-color-scheme:dark){text{fill:#eef1f4}.small{fill:#b3bdc8}.ground{fill:#14171b}.bar{fill:#2f6db5}.marked{fill:#b8690f}.line{stroke:#8a96a3}.curve{stroke:#ff8787}}",
].join("");

/** Text as it may stand in an SVG document. */
export function svgText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
