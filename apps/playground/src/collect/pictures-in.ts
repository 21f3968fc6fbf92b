import { imageExtensions } from "@convkit/datasets";
import { notice } from "../notice.ts";

/** The pictures among files, by their type or name. Tells the reader how many others are left out; hidden files do not count. */
export function picturesIn(files: readonly File[]): File[] {
  const seen = files.filter(({ name }) => !name.startsWith("."));
  const pictures = seen.filter(isPicture);
  const others = seen.length - pictures.length;
  if (pictures.length === 0)
    notice.value = "There is no picture in what was opened: JPEG, PNG, WebP, GIF, BMP or AVIF.";
  else if (others > 0) notice.value = others === 1 ? "One file is no picture." : `${others} files are no pictures.`;
  return pictures;
}

function isPicture({ name, type }: File): boolean {
  return type.startsWith("image/") || imageExtensions.some((extension) => name.toLowerCase().endsWith(extension));
}
