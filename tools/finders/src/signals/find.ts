/*
 * find.ts [COMMAND …] [--engines native,wasm] [--signals N] [--seed S]: sends commands SIGINT and SIGTERM at drawn moments,
 * and to half of them a second signal at once. Tells how long each took to end, by the clock and by the processor's seconds of
 * the process, and the files that it left beside those with final names. Ends with 1 if a command had another status than 130 and 143.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { finalName } from "@convkit/files";
import { Draw } from "../draw.ts";
import { signalCases } from "./cases.ts";
import { struck, timed } from "./struck.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engines: { type: "string", default: "native,wasm" },
    signals: { type: "string", default: "8" },
    seed: { type: "string", default: "1" },
  },
});
const line = (text: string): void => void process.stdout.write(`${text}\n`);
const folder = mkdtempSync(join(tmpdir(), "convkit-signals-"));
const cases = await signalCases(folder);
const draw = new Draw(Number(values.seed));
/** Files and folders under temporary names. */
const leftovers = (): string[] => readdirSync(folder).filter((name) => finalName(name) !== undefined);

for (const { name, args, isWithoutEngine } of cases) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  for (const engine of isWithoutEngine ? [undefined] : values.engines.split(",")) {
    const words = [...args, ...(engine === undefined ? [] : ["--engine", engine])];
    const whole = await timed(words);
    const [walls, wrong]: [number[], string[]] = [[], []];
    // The processor's seconds after one signal, and after a second one.
    const [once, twice]: [number[], number[]] = [[], []];
    for (let round = 0; round < Number(values.signals); round++) {
      const signal = round % 2 === 0 ? "SIGINT" : "SIGTERM";
      const isTwice = round % 4 > 1;
      const { status, wall, cpu, err, isEnded } = await struck(words, {
        signal,
        after: (0.3 + 0.65 * draw.unit()) * whole,
        isTwice,
      });
      for (const left of leftovers()) {
        wrong.push(`${left} was left`);
        rmSync(join(folder, left), { recursive: true });
      }
      for (const out of readdirSync(folder).filter((each) => each.startsWith("out")))
        rmSync(join(folder, out), { recursive: true });
      if (isEnded) continue;
      if (status !== (signal === "SIGINT" ? 130 : 143)) wrong.push(`${signal}: status ${status}: ${err}`);
      walls.push(wall);
      (isTwice ? twice : once).push(cpu);
    }
    const most = (list: number[]): string => (list.length === 0 ? "none" : Math.max(...list).toFixed(1));
    line(
      `${name}${engine === undefined ? "" : `, ${engine}`} (${whole.toFixed(1)} s): ${walls.length} signals, at most ${most(walls)} s by the clock, ${most(once)} s of the processor, ${most(twice)} s after a second one; ${wrong.length === 0 ? "right" : wrong.join("; ")}`,
    );
    if (wrong.length > 0) process.exitCode = 1;
  }
}
rmSync(folder, { recursive: true, force: true });
