// `pnpm find:differences`: computes all losses, metrics and optimizers against the goldens of Keras, scikit-learn and timm on each engine,
// and writes the largest differences into the tables of docs/guides/training.md, between the comments that name them.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = join(root, "docs/guides/training.md");
const folder = mkdtempSync(join(tmpdir(), "convkit-differences-"));
const file = join(folder, "differences.jsonl");
const singular = { losses: "loss", metrics: "metric", optimizers: "optimizer" };
const tests = ["objectives-native", "objectives-wasm", "optimizer-steps"].map((name) => `test/${name}.test.ts`);
try {
  writeFileSync(file, "");
  execFileSync("npx", ["vitest", "run", ...tests], {
    cwd: join(root, "packages/trainer"),
    env: { ...process.env, CONVKIT_DIFFERENCES: file },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const found = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const text = ["losses", "metrics", "optimizers"].reduce(withTable(found), readFileSync(page, "utf8"));
  writeFileSync(page, text);
} finally {
  rmSync(folder, { recursive: true });
}

/** A function that puts a table's rows between the comments of its name. */
function withTable(found) {
  return (text, table) => {
    const own = found.filter((each) => each.table === table);
    const ways = ["native, compiled", "native, op by op", "wasm"].filter((way) => own.some((each) => each.way === way));
    const names = [...new Set(own.map(({ name }) => name))];
    const rows = names.map((name) => {
      const largest = (way) =>
        Math.max(0, ...own.filter((each) => each.name === name && each.way === way).map((each) => each.largest));
      return `| ${readable(name)} | ${ways.map((way) => largest(way).toExponential(1)).join(" | ")} |`;
    });
    const head = [`| ${singular[table]} | ${ways.join(" | ")} |`, `|---|${ways.map(() => "---|").join("")}`];
    const between = new RegExp(`(<!-- differences: ${table} -->\n)[^]*?(<!-- end of differences -->)`);
    if (!between.test(text)) throw new Error(`${page} lacks the comments of the table ${table}`);
    return text.replace(between, (_all, begin, end) => `${begin}\n${[...head, ...rows].join("\n")}\n\n${end}`);
  };
}

/** `adamw {"weightDecay":0.1}` as `adamw (weightDecay 0.1)`. */
function readable(name) {
  const [first, ...rest] = name.split(" ");
  if (rest.length === 0) return first;
  const options = Object.entries(JSON.parse(rest.join(" "))).filter(([key]) => key !== "learningRate");
  const told = options.map(([key, value]) =>
    value === true ? key : `${key} ${typeof value === "object" ? "" : value}`.trim(),
  );
  return told.length === 0 ? first : `${first} (${told.join(", ")})`;
}
