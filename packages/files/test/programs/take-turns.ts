import { appendFileSync, rmSync, writeFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../../src/lock.ts";
import { isRunning, type ProcessIdentity, thisProcess } from "../../src/process-identity.ts";

/**
 * Takes the lock of a folder again and again, and kills itself with SIGKILL at a random moment: while it waits, while it takes the lock
 * over, or while it holds it. Whoever is inside leaves a mark; a mark of another process that still runs is a clash, which is written
 * down.
 */
const [folder = "", deadline = "0"] = process.argv.slice(2);
const mark = join(folder, "inside");
const own = JSON.stringify(await thisProcess());
setTimeout(() => process.kill(process.pid, "SIGKILL"), Math.random() * 400);

while (Date.now() < Number(deadline)) {
  await withLock(join(folder, "lock"), async () => {
    await lookAround();
    writeFileSync(mark, own);
    appendFileSync(join(folder, "takings"), ".");
    // Often no time at all, so that many takeovers and releases meet.
    await sleep(Math.random() < 0.5 ? 0 : Math.random() * 30);
    if (readFileSync(mark, "utf8") !== own) appendFileSync(join(folder, "clashes"), "overwritten\n");
    rmSync(mark);
  });
}
process.exit(0);

async function lookAround(): Promise<void> {
  let other: string;
  try {
    other = readFileSync(mark, "utf8");
  } catch {
    return;
  }
  // A process that was killed between making the mark and writing it leaves it empty.
  if (other !== "" && (await isRunning(JSON.parse(other) as ProcessIdentity)) === true)
    appendFileSync(join(folder, "clashes"), "met\n");
}
