import { mkdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { cacheFolder, cacheRoot } from "../src/index.ts";
import { temporaryFolder } from "./temporary.ts";

test.each<[NodeJS.ProcessEnv, NodeJS.Platform, string]>([
  [{ HOME: "/home/a" }, "linux", "/home/a/.cache/convkit"],
  [{ HOME: "/home/a", XDG_CACHE_HOME: "relative" }, "linux", "/home/a/.cache/convkit"],
  [{ HOME: "/home/a", XDG_CACHE_HOME: "/var/c" }, "linux", "/var/c/convkit"],
  [{ HOME: "/home/a", XDG_CACHE_HOME: "/var/c", CONVKIT_CACHE: "/big/ck" }, "linux", "/big/ck"],
  [{ HOME: "/home/a", CONVKIT_CACHE: "here" }, "linux", resolve("here")],
  [{ HOME: "/home/a", CONVKIT_CACHE: "" }, "linux", "/home/a/.cache/convkit"],
  [{ HOME: "/Users/a" }, "darwin", "/Users/a/Library/Caches/convkit"],
  [{ HOME: "/Users/a", XDG_CACHE_HOME: "/var/c" }, "darwin", "/var/c/convkit"],
  [{ HOME: "/u", LOCALAPPDATA: "/u/Local" }, "win32", "/u/Local/convkit"],
  [{ HOME: "/u" }, "win32", "/u/AppData/Local/convkit"],
])("with %j on %s the cache lies in %s", (env, platform, folder) => {
  expect(cacheRoot(env, platform)).toBe(folder);
});

test("one folder has one name, through links too, and before it is there", () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "disk"));
  symlinkSync(join(folder, "disk"), join(folder, "link"));
  for (const name of ["", "new", "new/er"])
    expect(cacheRoot({ CONVKIT_CACHE: join(folder, "link", name) })).toBe(join(folder, "disk", name));
});

test("a relative cache stays in the start directory when the process changes its own", () => {
  const start = process.cwd();
  process.chdir(temporaryFolder());
  try {
    expect(cacheRoot({ CONVKIT_CACHE: "here" })).toBe(join(start, "here"));
  } finally {
    process.chdir(start);
  }
});

test("each kind has its folder in the cache", () => {
  expect(cacheFolder("weights")).toBe(join(cacheRoot(), "weights"));
});
