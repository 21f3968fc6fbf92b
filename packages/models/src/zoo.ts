import type { Architecture } from "@convkit/core";
import { inceptionCifar10 } from "./inception-cifar.ts";
import { lenet5 } from "./lenet.ts";
import { simpleCnn } from "./simple-cnn.ts";

/** Every network by name. A new one is a file of its own and a word here. */
export const zoo = {
  // Of the courses
  lenet5,
  "simple-cnn": simpleCnn,
  "inception-cifar10": inceptionCifar10,
} as const satisfies Readonly<Record<string, Architecture>>;

/** The name of a network of the zoo. */
export type ModelName = keyof typeof zoo;
