import type { PeepholeRule } from "./rule.ts";

export const castToOwnType: PeepholeRule = {
  name: "cast-to-own-type",
  description: "a cast to the type that the tensor has is left out",
  ops: ["Cast"],
  replace: ({ attrs: { SrcT, DstT }, inputs: [x] }) => (SrcT?.["type"] === DstT?.["type"] ? x : undefined),
};
