/** HTML that is safe to put into a page. */
export interface Html {
  readonly html: string;
}

type Part = Html | string | number | readonly Html[];

/** Joins markup and values; text values are escaped, other markup is taken as it is. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const text = strings.map((each, index) => each + (index < parts.length ? rendered(parts[index]!) : ""));
  return { html: text.join("") };
}

/** Marks a string from trusted code, such as a chart's SVG, as safe markup. */
export function trusted(markup: string): Html {
  return { html: markup };
}

function rendered(part: Part): string {
  if (typeof part === "number") return String(part);
  if (typeof part === "string") return part.replaceAll(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);
  return "html" in part ? part.html : part.map((each) => each.html).join("");
}
