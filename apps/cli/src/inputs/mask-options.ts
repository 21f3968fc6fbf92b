import type { MaskOptions } from "@convkit/datasets";
import { type OptionOf, text, whole } from "../terminal/option.ts";
import { nameList } from "./column-list.ts";

/** The options that say where masks are and what their values mean. */
export const maskOptions = {
  mask: text("<column>", "of a CSV file: the column of the mask files"),
  maskClasses: nameList("of the classes of masks, in the order of their numbers"),
  maskIgnore: whole(0, "<value>", "the value of a mask's pixels that are not judged, such as 255"),
};

/** Channels of each level of unet. */
export const widths: OptionOf<readonly number[]> = {
  value: "<list>",
  about: "channels of each level of unet (default: 64,128,256,512,1024)",
  read: (given) => given.split(",").map(Number),
};

/** What the options say of the masks' values; undefined if they say nothing. */
export function masksOf(names: readonly string[] | undefined, ignore: number | undefined): MaskOptions | undefined {
  return (names ?? ignore) === undefined ? undefined : { names, ignore };
}
