/**
 * Text in which a name of a file or class cannot command the terminal: control characters other than line feeds and tabs, and marks
 * that turn the direction of writing, are written as in `\u001b`.
 */
export function printable(text: string): string {
  return text.replaceAll(commanding, escaped);
}

/** JSON with the same characters escaped: JSON itself allows some of them. */
export function printableJson(data: unknown, spaces?: number): string {
  return JSON.stringify(data, undefined, spaces).replaceAll(commanding, escaped);
}

const commanding = /[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/gu;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
