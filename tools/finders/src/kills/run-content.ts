import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { finalName } from "@convkit/files";
import { parseHistory } from "@convkit/trainer";
import { openWeights } from "@convkit/weights";

/** What no clock has a hand in: hashes of the weights and checkpoints, and the history without its seconds. */
export function contentOf(run: string): string {
  const hash = (...path: string[]) =>
    createHash("sha256")
      .update(readFileSync(join(run, ...path)))
      .digest("hex");
  return JSON.stringify({
    model: readdirSync(join(run, "model")).map((name) => [name, hash("model", name)]),
    checkpoints: readdirSync(join(run, "checkpoints")).map((name) => [name, hash("checkpoints", name, "arrays.bin")]),
    steps: existsSync(join(run, "steps.csv")) ? hash("steps.csv") : undefined,
    history: withoutSeconds(readFileSync(join(run, "history.csv"), "utf8")),
  });
}

function withoutSeconds(history: string): string[][] {
  const rows = history.split("\n").map((row) => row.split(","));
  const seconds = rows[0]!.indexOf("seconds");
  return rows.map((row) => row.filter((_, place) => place !== seconds));
}

/** Throws unless every file that has its final name parses. */
export async function checkWhole(run: string): Promise<void> {
  const files = readdirSync(run, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    if (path.split("/").some((part) => finalName(part) !== undefined)) continue;
    if (name.endsWith(".json")) JSON.parse(readFileSync(path, "utf8"));
    if (name === "history.csv") parseHistory(readFileSync(path, "utf8"), path);
    if (name !== "model.json") continue;
    const model = await openWeights(path);
    for (const tensor of model.tensors) tensor.read();
    model.close();
  }
}
