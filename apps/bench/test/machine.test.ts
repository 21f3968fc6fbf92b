import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { findGpu } from "../src/results/machine.ts";

let folder: string | undefined;

afterEach(() => {
  vi.unstubAllEnvs();
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
});

/** Puts an `nvidia-smi` first that prints a text, or fails. */
function driverPrints(text: string, status = 0): void {
  folder = mkdtempSync(join(tmpdir(), "bench-smi-"));
  const file = join(folder, "nvidia-smi");
  writeFileSync(file, `#!/bin/sh\nprintf '%s' '${text}'\nexit ${status}\n`);
  chmodSync(file, 0o755);
  vi.stubEnv("PATH", `${folder}:/bin:/usr/bin`);
}

it.each([
  [
    "one device",
    "NVIDIA H100 80GB HBM3, 570.86.15, 1980\n",
    { name: "NVIDIA H100 80GB HBM3", driver: "570.86.15", clockMHz: 1980 },
  ],
  [
    "the first of two",
    "NVIDIA L4, 550.54, 2040\nNVIDIA T4, 550.54, 1590\n",
    { name: "NVIDIA L4", driver: "550.54", clockMHz: 2040 },
  ],
  ["none", "", undefined],
])("describes %s as the driver does", (_, text, expected) => {
  driverPrints(text);
  expect(findGpu()).toEqual(expected);
});

it("a driver that fails has no device", () => {
  driverPrints("NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.", 9);
  expect(findGpu()).toBeUndefined();
});
