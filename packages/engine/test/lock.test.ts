import { EventEmitter, once } from "node:events";
import { mkdir, readdir, utimes } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";

import { withLock } from "../src/install/lock.ts";
import { startProgram } from "./program.ts";
import { temporaryFolder } from "./temporary.ts";

const longAgo = new Date(Date.now() - 60_000);

describe("the lock", () => {
  test("lets one process at a time work, and tells the others that they wait", async () => {
    const FOLDER = await temporaryFolder();
    const results = await Promise.all([1, 2, 3].map(() => startProgram("hold-lock", { env: { FOLDER } }).ended));
    const spans = results
      .map(
        ({ output }) =>
          ["from", "to"].map((word) => Number(new RegExp(`${word} (\\d+)`).exec(output)?.[1])) as [number, number],
      )
      .toSorted(([a], [b]) => a - b);
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(spans[1]?.[0]).toBeGreaterThanOrEqual(spans[0]?.[1] as number);
    expect(spans[2]?.[0]).toBeGreaterThanOrEqual(spans[1]?.[1] as number);
    expect(await readdir(FOLDER)).toEqual([]);
  });

  test("excludes a second holder in the same process, once told, and is free again after an error", async () => {
    const folder = await temporaryFolder();
    let notices = 0;
    const order: string[] = [];
    const events = new EventEmitter();
    const started = once(events, "started");
    const waiting = once(events, "waiting");
    const first = withLock(folder, "a", async () => {
      events.emit("started");
      await waiting;
      order.push("first");
      throw new Error("first fails");
    });
    await started;
    const onWait = () => {
      notices += 1;
      events.emit("waiting");
    };
    const second = withLock(folder, "a", async () => order.push("second"), { onWait });
    await expect(first).rejects.toThrow("first fails");
    await second;
    expect([order, notices]).toEqual([["first", "second"], 1]);
  });

  test("of a dead holder is taken over", async () => {
    const folder = await temporaryFolder();
    const lock = path.join(folder, "a.lock");
    await mkdir(lock);
    await utimes(lock, longAgo, longAgo);
    expect(await withLock(folder, "a", async () => "done")).toBe("done");
  });

  test("of a dead holder is taken over by one at a time", async () => {
    const folder = await temporaryFolder();
    const lock = path.join(folder, "a.lock");
    await mkdir(lock);
    await utimes(lock, longAgo, longAgo);
    let working = 0;
    const work = async () => {
      working += 1;
      const together = working;
      await sleep(20);
      working -= 1;
      return together;
    };
    const seen = await Promise.all(Array.from({ length: 5 }, () => withLock(folder, "a", work)));
    expect([seen, await readdir(folder)]).toEqual([[1, 1, 1, 1, 1], []]);
  });

  test("is not waited for after an abort", async () => {
    const folder = await temporaryFolder();
    await mkdir(path.join(folder, "a.lock"));
    const work = async () => "never";
    await expect(withLock(folder, "a", work, { signal: AbortSignal.timeout(400) })).rejects.toThrow(/abort|timeout/i);
  });
});
