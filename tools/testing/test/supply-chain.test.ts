import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));

test("docs/supply-chain.md is current: no install script, allowed licences only, a reason for each package", () => {
  const { status, stderr } = spawnSync(process.execPath, ["tools/supply-chain.mjs", "--check"], {
    cwd: root,
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
