import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type ProcessIdentity, tryLock, withLock } from "../src/index.ts";
import { bundleProgram, startProgram } from "./program.ts";
import { canMount, smallDisk } from "./small-disk.ts";
import { temporaryFolder } from "./temporary.ts";

const place = () => join(temporaryFolder(), ".lock");

/** What the file of a lock says that this process holds. */
async function ownIdentity(): Promise<ProcessIdentity> {
  const path = place();
  const answer = await tryLock(path);
  const holder = JSON.parse(await readFile(path, "utf8")) as ProcessIdentity;
  if ("lock" in answer) await answer.lock.release();
  return holder;
}

const takeTurns = bundleProgram("take-turns");

const endedProcess = () => spawnSync(process.execPath, ["--version"]).pid;

describe("tryLock", () => {
  test("takes a lock until it is released, and leaves nothing", async () => {
    const path = place();
    const answer = await tryLock(path);
    expect(await tryLock(path)).toMatchObject({ holder: { pid: process.pid } });
    if ("lock" in answer) await answer.lock.release();
    expect(await readdir(join(path, ".."))).toEqual([]);
  });

  test("gives the lock of a dead holder to one of many that ask at once", async () => {
    const path = place();
    await writeFile(path, JSON.stringify({ ...(await ownIdentity()), pid: endedProcess(), began: null }));
    const answers = await Promise.all(Array.from({ length: 16 }, () => tryLock(path)));
    expect(answers.filter((answer) => "lock" in answer)).toHaveLength(1);
    expect(await readdir(join(path, ".."))).toEqual([".lock"]);
  });

  test("goes on where a process was killed while it took the lock over", async () => {
    const path = place();
    const ended = { ...(await ownIdentity()), pid: endedProcess(), began: null };
    const [first, second] = [JSON.stringify(ended), JSON.stringify({ ...ended, id: "second" })];
    await writeFile(path, first);
    await writeFile(`${path}.after-${createHash("sha256").update(first).digest("hex").slice(0, 16)}`, second);
    const answers = await Promise.all(Array.from({ length: 8 }, () => tryLock(path)));
    expect(answers.filter((answer) => "lock" in answer)).toHaveLength(1);
    expect(await readdir(join(path, ".."))).toEqual([".lock"]);
  });

  test.skipIf(!canMount)(
    "is released on a disk that became read-only, and taken anew once it is writable",
    async () => {
      const { folder, makeReadOnly, makeWritable } = smallDisk(64 << 10);
      const path = join(folder, ".lock");
      await withLock(path, async () => makeReadOnly());
      makeWritable();
      await withLock(path, async () => expect(await tryLock(path)).toMatchObject({ holder: { pid: process.pid } }));
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test.each<[string, (own: ProcessIdentity) => object | string, number, boolean]>([
    ["of a process that has ended", (own) => ({ ...own, pid: endedProcess() }), 0, true],
    [
      "of a process whose number another process has now",
      (own) => ({ ...own, began: "1" }),
      0,
      process.platform === "linux",
    ],
    ["of a process that runs and is silent", (own) => own, 3600, false],
    ["of another machine that was touched lately", (own) => ({ ...own, machine: "other" }), 5, false],
    ["of another machine that is silent", (own) => ({ ...own, machine: "other" }), 60, true],
    ["that is being written", () => "", 0, false],
    ["that was never written whole", () => "", 60, true],
    ["of a version that wrote only a number", () => "4711", 60, true],
  ])("judges a lock %s", async (_title, content, secondsAgo, taken) => {
    const path = place();
    const made = content(await ownIdentity());
    await writeFile(path, typeof made === "string" ? made : JSON.stringify(made));
    const time = new Date(Date.now() - secondsAgo * 1000);
    await utimes(path, time, time);
    const answer = await tryLock(path);
    expect("lock" in answer).toBe(taken);
    if ("lock" in answer) await answer.lock.release();
  });

  test.skipIf(process.platform !== "linux")(
    "takes the lock of a process that was killed and not yet waited for",
    async () => {
      // The shell becomes another program, which does not wait for its child.
      const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
      const pid = await new Promise<number>((told) => parent.stdout.once("data", (text) => told(Number(text))));
      const until = async (process: number, sign: string) => {
        while (!(await readFile(`/proc/${process}/stat`, "utf8")).includes(sign)) await sleep(5);
      };
      await until(parent.pid!, "(sleep)");
      process.kill(pid, "SIGKILL");
      await until(pid, ") Z ");
      const path = place();
      await writeFile(path, JSON.stringify({ ...(await ownIdentity()), pid, began: null }));
      const answer = await tryLock(path);
      parent.kill();
      expect("lock" in answer).toBe(true);
      if ("lock" in answer) await answer.lock.release();
    },
  );

  test("does not release a lock that another process took over", async () => {
    const path = place();
    const answer = await tryLock(path);
    await writeFile(path, "another holder");
    if ("lock" in answer) await answer.lock.release();
    expect(await readFile(path, "utf8")).toBe("another holder");
  });

  test("names the file whose folder is missing", async () => {
    const path = join(temporaryFolder(), "none", ".lock");
    await expect(tryLock(path)).rejects.toMatchObject({
      code: "CONVKIT_FILE",
      path,
      message: `${path} cannot be written (ENOENT): there is no folder ${join(path, "..")}; make it first.`,
    });
  });
});

describe("withLock", () => {
  test("lets one at a time work, tells the others once that they wait, and is free after an error", async () => {
    const path = join(temporaryFolder(), "made", "lock");
    const order: string[] = [];
    let waits = 0;
    const until = async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) await sleep(5);
    };
    const first = withLock(path, async () => {
      order.push("first");
      await until(() => waits > 0);
      order.push("first ends");
      throw new Error("first fails");
    });
    await until(() => order.length > 0);
    const second = withLock(path, async () => order.push("second"), { onWait: () => (waits += 1) });
    await expect(first).rejects.toThrow("first fails");
    await second;
    expect([order, waits]).toEqual([["first", "first ends", "second"], 1]);
    expect(existsSync(path)).toBe(false);
  });

  test("ends its wait with the signal's reason", async () => {
    const path = place();
    const answer = await tryLock(path);
    const signal = AbortSignal.timeout(100);
    await expect(withLock(path, async () => "never", { signal })).rejects.toThrow(/abort|timeout/i);
    if ("lock" in answer) await answer.lock.release();
  });

  test("refuses an option that it does not know", async () => {
    await expect(withLock(place(), async () => 1, { onwait: () => undefined } as object)).rejects.toThrow(
      'withLock: expected the options signal, onWait, got "onwait". Did you mean "onWait"?',
    );
  });

  test("never lets two processes in, whenever they are killed", async () => {
    const folder = temporaryFolder();
    const program = await takeTurns;
    const count = (name: string) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : "");
    const until = Date.now() + Number(process.env["LOCK_TEST_SECONDS"] ?? 4) * 1000;
    let deaths = 0;
    // On a busy machine the time is over before much has happened.
    const isEnough = () => Date.now() > until && deaths > 5 && count("takings").length > 20;
    const keepOne = async () => {
      while (!isEnough()) {
        const { code, signal, output } = await startProgram(program, [folder, String(Date.now() + 4000)]).ended;
        expect(code ?? signal, output).toBeOneOf([0, "SIGKILL"]);
        if (signal === "SIGKILL") deaths += 1;
      }
    };
    await Promise.all(Array.from({ length: 5 }, keepOne));
    expect(count("clashes")).toBe("");
  });
});
