import type { Architecture } from "@convkit/core";
import { zoo } from "./zoo.ts";

/** What is known of a network without building it. */
export type ModelInfo = Omit<Architecture, "body" | "head" | "aux"> & { readonly aux: boolean };

/** The zoo, or the networks whose names fit a pattern (`"resnet*"`, `"?gg16"`); nothing is built. */
export function list(pattern = "*"): ModelInfo[] {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  const fits = new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`);
  return Object.values<Architecture>(zoo)
    .filter(({ name }) => fits.test(name))
    .map(({ body: _body, head: _head, aux, ...info }) => ({ ...info, aux: aux !== undefined }));
}
