import { setTimeout as sleep } from "node:timers/promises";
import process from "node:process";

import { withLock } from "../../src/install/lock.ts";

/** Holds the lock for half a second and tells when. */
await withLock(
  process.env["FOLDER"] as string,
  "test",
  async () => {
    process.stdout.write(`from ${Date.now()}\n`);
    await sleep(500);
    process.stdout.write(`to ${Date.now()}\n`);
  },
  { onWait: () => process.stdout.write("waiting\n") },
);
