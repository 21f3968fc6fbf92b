import { describe, expect, test } from "vitest";

import { findPrebuilt, folderPlaceholder, withFolders } from "../src/install/prebuilt-addon.ts";

describe("a prebuilt addon", () => {
  const addon = Buffer.concat([Buffer.from("\0before\0"), Buffer.from(folderPlaceholder), Buffer.from("\0after")]);

  test("gets the engine's folders where the linker wrote the placeholder, and keeps its length", () => {
    const changed = withFolders(addon, "/cache/이미지 ☂/lib:/b")!;
    expect(changed.length).toBe(addon.length);
    const [before, beforeFolder, folders, ...rest] = changed.toString().split("\0");
    expect([before, beforeFolder, folders, rest.at(-1)]).toEqual(["", "before", "/cache/이미지 ☂/lib:/b", "after"]);
    expect(rest.slice(0, -1).join("")).toBe("");
    expect(addon.includes(folderPlaceholder)).toBe(true);
  });

  test("without the placeholder, or with folders that are too long, is none", () => {
    expect(withFolders(Buffer.from("an addon"), "/a")).toBeUndefined();
    expect(withFolders(addon, `/${"a".repeat(folderPlaceholder.length)}`)).toBeUndefined();
  });

  test("is not taken for another TensorFlow or tfjs-node", () => {
    expect(findPrebuilt("linux-x64", "2.20.0", { version: "4.22.0", napi: 8 })).toBeUndefined();
    expect(findPrebuilt("linux-x64", "2.21.0", { version: "4.21.0", napi: 8 })).toBeUndefined();
    expect(findPrebuilt("darwin-arm64", "2.21.0", { version: "4.22.0", napi: 8 })).toBeUndefined();
  });
});
