import { describe, expect, it } from "vitest";
import { installEngine, listEngines, removeEngine, useEngine } from "../src/index.ts";

describe("unknown options are refused before anything happens", () => {
  it.each([
    ["useEngine", () => useEngine("wasm", { thread: 1 } as never), '"threads"'],
    ["installEngine", () => installEngine({ GPU: true } as never), '"gpu"'],
    ["listEngines", () => listEngines({ chache: "nowhere" } as never), '"cache"'],
    ["removeEngine", () => removeEngine({ chache: "nowhere" } as never), '"cache"'],
  ])("%s", async (name, call, hint) => {
    await expect(call()).rejects.toThrow(new RegExp(`^${name}: expected the options .*${hint}`));
  });
});
