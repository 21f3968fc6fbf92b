/*
 * find.ts [SUBJECT …] [--count N] [--seed S] [--from I] [--minutes M] [--all]: damages files of each subject and tells what was
 * taken badly, or with --all of each mutant. A subject gets M minutes at most. Ends with 1 if anything was taken badly.
 */
import { parseArgs } from "node:util";
import { campaign } from "./campaign.ts";
import { subjects } from "./subjects.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "Infinity" },
    from: { type: "string", default: "0" },
    all: { type: "boolean", default: false },
  },
});
const names = positionals.length > 0 ? positionals : subjects.map(({ name }) => name);
const line = (text: string): void => void process.stdout.write(`${text}\n`);

for (const name of names) {
  const task = { name, from: Number(values.from), count: Number(values.count) };
  const { counts, findings, problem } = await campaign([task], {
    seed: Number(values.seed),
    minutes: Number(values.minutes),
    onMutant({ verdict, index, file, message }) {
      const isFine = verdict === "read" || verdict === "refused";
      if (values.all || !isFine) line(`${name} ${index} ${verdict} ${file}: ${message}`);
    },
  });
  if (findings.length > 0 || problem !== undefined) process.exitCode = 1;
  line(`${name}: ${JSON.stringify(counts[name] ?? {})}${problem === undefined ? "" : `; stopped: ${problem}`}`);
}
