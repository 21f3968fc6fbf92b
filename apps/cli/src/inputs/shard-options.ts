import type { CsvColumns } from "@convkit/datasets";
import { text } from "../terminal/option.ts";
import { nameList } from "./column-list.ts";

/** Options of commands that read shards. */
export const shardOptions = {
  imageField: text("<field>", "of shards: the image, such as jpg, image or image/encoded"),
  labelField: text("<field>", "of shards: the class, such as cls, json.class, label or image/class/label"),
  classNames: nameList("of shards: the classes in the order of their numbers, such as cat,dog"),
};

interface ShardFields {
  readonly imageField?: string | undefined;
  readonly labelField?: string | undefined;
  readonly classNames?: readonly string[] | undefined;
}

/** The columns that these options name; undefined if none is given. */
export function shardColumns({ imageField, labelField, classNames }: ShardFields): CsvColumns | undefined {
  const given = { image: imageField, label: labelField, classes: classNames };
  return Object.values(given).some((value) => value !== undefined) ? given : undefined;
}
