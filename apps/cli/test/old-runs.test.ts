import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-old-runs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["top1", "an older run"],
  ["accuracy", "a run of today"],
])("the accuracy is read as %s, as %s writes it", async (name) => {
  const metrics = { seconds: 2, imagesPerSecond: 10, test: { split: "test", loss: 0.5, [name]: 0.75 } };
  writeFileSync(join(folder, "metrics.json"), JSON.stringify(metrics));
  const { out, err } = await call("compare", folder, "--json");
  expect(JSON.parse(out), err).toMatchObject([{ testAccuracy: 0.75, testLoss: 0.5, epochs: 0 }]);
});
