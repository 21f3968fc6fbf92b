/*
 * worker.ts SEED FOLDER TASKS: reads mutants of the files of some subjects, one after the other, and tells the parent process of
 * each. A process of its own, since a mutant may end it or never come back. TASKS is JSON: see `Task`.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { isConvkitError } from "@convkit/errors";
import { Draw } from "../draw.ts";
import { mutant, textMutant } from "./mutate.ts";
import { resetPeak, rss } from "./memory.ts";
import type { Report, Subject, Task, Verdict } from "./subject.ts";
import { subjects } from "./subjects.ts";

const [seed, root, tasks] = process.argv.slice(2) as [string, string, string];
const tell = (report: Report): void => void process.send!(report);
const hidden = (): boolean => true;

async function readMutants({ name, from, count }: Task): Promise<void> {
  const subject = subjects.find((each) => each.name === name)!;
  const folder = join(root, name);
  const whole = join(folder, "whole");
  await subject.prepare(whole);
  const names = subject.files ?? filesIn(whole);
  // Warm: what the first reading loads is not the mutant's.
  const copy = join(folder, "damaged");
  cpSync(whole, copy, { recursive: true });
  const warm = subject.use(copy, { file: names[0] ?? "", draw: new Draw(0) });
  // Without files it is what is drawn that may be refused.
  await (names.length === 0 ? warm.catch(() => undefined) : warm);
  for (let index = from; index < from + count; index++) {
    const draw = new Draw(Number(seed) * 1_000_003 + index);
    const file = names.length === 0 ? "" : draw.of(...names);
    if (subject.writes === true) {
      rmSync(copy, { recursive: true, force: true });
      cpSync(whole, copy, { recursive: true });
    }
    if (file !== "") damage(join(whole, file), join(copy, file), draw);
    tell({ kind: "begin", subject: name, index, file });
    tell({ kind: "end", ...(await verdictOf(subject, copy, file, draw)) });
    if (subject.writes !== true && file !== "") cpSync(join(whole, file), join(copy, file));
  }
}

/** Writes a mutant of a file; now and then the file is missing, empty, or a folder. */
function damage(whole: string, copy: string, draw: Draw): void {
  const kind = draw.unit();
  if (kind < 0.02) return rmSync(copy, { force: true });
  const bytes = readFileSync(whole);
  const isText = /\.(json|csv)$/.test(whole);
  writeFileSync(copy, kind < 0.03 ? "" : isText ? textMutant(bytes.toString(), draw) : mutant(bytes, draw));
}

async function verdictOf(
  subject: Subject,
  folder: string,
  file: string,
  draw: Draw,
): Promise<{ readonly verdict: Verdict; readonly message: string }> {
  const size = statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0;
  const before = rss();
  resetPeak();
  let [verdict, message]: [Verdict, string] = ["read", ""];
  try {
    await subject.use(folder, { file, draw });
  } catch (error) {
    message = error instanceof Error ? error.message : String(error);
    verdict = isTyped(error) ? "refused" : "untyped";
    if (verdict === "untyped" && error instanceof Error) message = error.stack ?? message;
    const named = subject.names?.test(message) ?? message.includes(basename(file));
    if (verdict === "refused" && !named) verdict = "unnamed";
  }
  const growth = rss("peak") - before;
  if (growth > 4 * size + 300 * 2 ** 20)
    return { verdict: "memory", message: `${growth} bytes for ${size}; ${message}` };
  return { verdict, message };
}

/** Errors of our own, and those of the command line's parser. */
function isTyped(error: unknown): boolean {
  return isConvkitError(error) || (error instanceof Error && error.constructor.name === "CommanderError");
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
}

/** Commands print; the parent process listens to messages only. */
function silence(): void {
  process.stdout.write = hidden;
  process.stderr.write = hidden;
}

let reason: string | undefined;
silence();
// What a command line names by chance stays in the folder, also behind a few "..".
const place = join(root, "a", "b", "c", "d");
mkdirSync(place, { recursive: true });
process.chdir(place);
for (const task of JSON.parse(tasks) as Task[]) {
  try {
    await readMutants(task);
  } catch (error) {
    reason = `${task.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}
process.send!({ kind: "finished", reason } satisfies Report, () => process.exit());
