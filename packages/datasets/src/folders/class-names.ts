import { DataError } from "../data-error.ts";

/**
 * The order of class names everywhere: by Unicode code points, as Python and therefore Keras sort. (JavaScript sorts
 * UTF-16 units.)
 */
export function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Puts the halves of characters beyond U+FFFF behind all other UTF-16 units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Characters that a folder's name cannot have on some system, or that would make it hidden or another path; and the escape itself. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const unfit = /[\u0000-\u001F\u007F<>:"/\\|?*%]|^\.|[. ]$/g;

/**
 * Converts a class name to a folder name: characters that a folder's name cannot have become %XX, as in a URL
 * ("T-shirt%2Ftop").
 */
export function folderName(className: string): string {
  if (className === "") throw new DataError("expected a name for each class, got an empty one");
  return className.replaceAll(
    unfit,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/**
 * Converts a folder name to a class name in Unicode's composed form (NFC). Decodes only the %XX that `folderName`
 * writes.
 */
export function className(folder: string): string {
  const name = folder.replaceAll(/%([0-9A-F]{2})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  return (name !== folder && folderName(name) === folder ? name : folder).normalize("NFC");
}

/** The same for names that look alike: "1" and "01", "a" and " a". */
export function looseName(label: string): string {
  const text = label.trim();
  return text !== "" && Number.isFinite(Number(text)) ? `number ${Number(text)}` : `text ${text}`;
}
