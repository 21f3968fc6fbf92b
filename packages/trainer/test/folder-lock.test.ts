import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Holder, takeLock } from "../src/files/folder-lock.ts";

const place = async () => join(await mkdtemp(join(tmpdir(), "convkit-lock-")), ".lock");

/** What the file of a lock says that this process holds. */
async function ownHolder(): Promise<Holder> {
  const path = await place();
  const release = await takeLock(path);
  const holder = JSON.parse(await readFile(path, "utf8")) as Holder;
  if (typeof release === "function") await release();
  return holder;
}

const dead = () => spawnSync(process.execPath, ["--version"]).pid;

describe("a lock", () => {
  test("is there until it is released", async () => {
    const path = await place();
    const release = await takeLock(path);
    expect(await takeLock(path)).toMatchObject({ pid: process.pid });
    if (typeof release === "function") await release();
    expect(existsSync(path)).toBe(false);
  });

  test("goes to one of many that ask at once", async () => {
    const path = await place();
    await writeFile(path, JSON.stringify({ ...(await ownHolder()), pid: dead(), began: null }));
    const answers = await Promise.all(Array.from({ length: 8 }, () => takeLock(path)));
    expect(answers.filter((answer) => typeof answer === "function")).toHaveLength(1);
  });

  test.each<[string, (own: Holder) => object | string, number, boolean]>([
    ["of a process that is gone", (own) => ({ ...own, pid: dead() }), 0, true],
    [
      "of a process whose number another one has now",
      (own) => ({ ...own, began: "1" }),
      0,
      process.platform === "linux",
    ],
    ["of a process that runs, silent as it may be", (own) => own, 3600, false],
    ["of another machine that shows life", (own) => ({ ...own, machine: "other" }), 5, false],
    ["of another machine that is silent", (own) => ({ ...own, machine: "other" }), 60, true],
    ["that is being written", () => "", 0, false],
    ["that was never written whole", () => "", 60, true],
  ])("%s", async (_title, content, secondsAgo, taken) => {
    const path = await place();
    const made = content(await ownHolder());
    await writeFile(path, typeof made === "string" ? made : JSON.stringify(made));
    const time = new Date(Date.now() - secondsAgo * 1000);
    await utimes(path, time, time);
    const answer = await takeLock(path);
    expect(typeof answer === "function").toBe(taken);
    if (typeof answer === "function") await answer();
  });

  test.skipIf(process.platform !== "linux")("of a process that was killed and not yet waited for", async () => {
    // The shell becomes another program, which does not wait for its child.
    const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    const pid = await new Promise<number>((told) => parent.stdout.once("data", (text) => told(Number(text))));
    const until = async (process: number, sign: string) => {
      while (!(await readFile(`/proc/${process}/stat`, "utf8")).includes(sign)) await new Promise(setImmediate);
    };
    await until(parent.pid!, "(sleep)");
    process.kill(pid, "SIGKILL");
    await until(pid, ") Z ");
    const path = await place();
    await writeFile(path, JSON.stringify({ ...(await ownHolder()), pid, began: null }));
    const answer = await takeLock(path);
    parent.kill();
    expect(typeof answer).toBe("function");
    if (typeof answer === "function") await answer();
  });
});
