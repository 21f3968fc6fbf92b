import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engines } from "@convkit/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { colorFolder } from "./color-folder.ts";
import { type Said, spawned } from "./run-cli.ts";

/** Folders, locales, terminals and homes that are not a developer's own. */

const top = mkdtempSync(join(tmpdir(), "convkit-platform-"));
afterAll(() => rmSync(top, { recursive: true }));

// Korean letters composed, and the same letters and an accent not composed, as macOS writes them; a space and an emoji.
const here = join(top, `내 사진 ${"한글 é".normalize("NFD")} ☂ 🐈`);
const escapeCode = "\u001b";

/** The history's numbers that depend on the training alone. */
function numbers(run: string): string[] {
  const [header = "", ...rows] = readFileSync(join(run, "history.csv"), "utf8").trim().split("\n");
  const wanted = [...header.split(",").entries()].filter(([, name]) => /loss|accuracy/i.test(name)).map(([at]) => at);
  return rows.map((row) => wanted.map((at) => row.split(",")[at]).join(","));
}

/** A small deterministic training in the folder of many letters, under an environment. */
function train(out: string, env: Record<string, string | undefined>, within: readonly string[] = []): Promise<Said> {
  const data = ["--data", "무당벌레 데이터", "--input", "20x24x3", "--epochs", "2", "--batch", "4", "--seed", "3"];
  const how = ["--threads", "1", "--deterministic", "--out", out, "--engine", engines[0]!];
  return spawned(["train", "simple-cnn", ...data, ...how], { cwd: here, env, within });
}

const plain = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined };

describe("a training in a folder of spaces, Korean letters and emoji", () => {
  let said: Said;

  beforeAll(async () => {
    mkdirSync(here);
    await colorFolder(join(here, "무당벌레 데이터"), ["blue", "red"], 6);
    said = await train("결과 📈", {
      ...plain,
      // We color nothing, so that nothing can be forced.
      FORCE_COLOR: "1",
      LANG: "ar_EG.UTF-8",
      LC_ALL: "ar_EG.UTF-8",
      TZ: "Pacific/Kiritimati",
      COLUMNS: "20",
    });
    expect(said.status, said.err).toBe(0);
  });

  test("leaves its run there, and is evaluated there", async () => {
    expect(readdirSync(here).toSorted()).toEqual(["결과 📈", "무당벌레 데이터"].toSorted());
    const evaluated = await spawned(["evaluate", "결과 📈", "--data", "무당벌레 데이터", "--json"], { cwd: here });
    expect(evaluated.status, evaluated.err).toBe(0);
    expect(JSON.parse(evaluated.out)).toMatchObject({ count: 12 });
  });

  test("writes no color where no terminal is", () => {
    expect(said.out + said.err).not.toContain(escapeCode);
  });

  test("has the same numbers in another language and time zone, on CI and with NO_COLOR", async () => {
    const env = { LANG: "ko_KR.UTF-8", LC_ALL: "tr_TR.UTF-8", TZ: "America/St_Johns", CI: "true", NO_COLOR: "1" };
    const other = await train("다른", { ...env, FORCE_COLOR: undefined });
    expect(other.status, other.err).toBe(0);
    expect(numbers(join(here, "다른"))).toEqual(numbers(join(here, "결과 📈")));
    expect(other.out + other.err).not.toContain(escapeCode);
  });

  // A namespace of its own takes /dev/shm away from this command alone.
  const without = ["unshare", "--mount", "sh", "-c", 'umount -l /dev/shm; exec "$0" "$@"'];
  const canHide = spawnSync(without[0]!, [...without.slice(1, 4), "umount -l /dev/shm"]).status === 0;
  test.skipIf(!canHide)("runs without /dev/shm and with a home that cannot be written", async () => {
    // The engine is where it was; everything else that would be written to the home has no place.
    const cache =
      process.env["CONVKIT_CACHE"] ??
      join(process.env["XDG_CACHE_HOME"] ?? join(process.env["HOME"]!, ".cache"), "convkit");
    const env = {
      ...plain,
      HOME: "/proc/none",
      XDG_CACHE_HOME: undefined,
      XDG_CONFIG_HOME: undefined,
      CONVKIT_CACHE: cache,
    };
    const bare = await train("없는 집", env, without);
    expect(bare.status, bare.err).toBe(0);
    expect(numbers(join(here, "없는 집"))).toEqual(numbers(join(here, "결과 📈")));
  });
});

describe("a home that cannot be written, with nothing in it", () => {
  const env = { ...plain, HOME: "/proc/none", XDG_CACHE_HOME: undefined, CONVKIT_CACHE: undefined };

  test("does not hinder what needs no cache", async () => {
    const { status, out, err } = await spawned(["summary", "lenet5"], { env });
    expect(status, err).toBe(0);
    // Without the engine of the home's cache, wasm serves.
    expect(err).toMatch(/^(Using the wasm engine\. .*\n)?$/);
    expect(out).toContain("61,706");
  });

  test("is named in one sentence where an engine is to be installed", async () => {
    const { status, err } = await spawned(["engine", "install"], { env });
    expect(status).toBe(1);
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(err).toMatch(/\/proc\/none.*CONVKIT_CACHE/);
  });
});

test("a table fits a narrow terminal as it fits a wide one", async () => {
  const [narrow, wide] = await Promise.all(
    ["20", "200"].map((COLUMNS) => spawned(["summary", "lenet5"], { env: { ...plain, COLUMNS } })),
  );
  expect([narrow!.status, narrow!.out]).toEqual([0, wide!.out]);
});
