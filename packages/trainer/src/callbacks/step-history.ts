import { wholeFromOne } from "@convkit/errors";
import { appendFile, existsSync, join, readFile } from "@convkit/files/system";
import { FileError, unwritable, writeFileAtomic } from "@convkit/files";
import { fieldProblems, type Fields, throwProblems } from "../checks/fields.ts";
import { runDirectory } from "../run/run-directory.ts";
import { TrainerError } from "../trainer-error.ts";
import type { Callback } from "./callback.ts";

/** Which steps `stepHistory` writes, and where. */
export interface StepHistoryOptions {
  /** Steps between two rows; 1 by default. */
  readonly every?: number | undefined;
  /** The file; `steps.csv` of the run directory by default. */
  readonly path?: string | undefined;
  /**
   * Called with the error if the file cannot be written, for example on a full disk; the training then goes on. By default the training
   * ends with that error.
   */
  readonly onError?: ((error: Error) => void) | undefined;
}

const fields: Fields<StepHistoryOptions> = {
  every: wholeFromOne,
  path: ["a path", (value) => typeof value === "string"],
  onError: ["a function", (value) => typeof value === "function"],
};

const header = "step,epoch,loss,lr";

/**
 * Writes a row of CSV for every step, or every so many: the step counted from 1, its epoch, the loss of its batch alone, and its learning
 * rate. Rows are appended at the end of each epoch and of the run. A resumed run first removes the rows of steps that a killed process made
 * after its checkpoint. Throws `TrainerError` for invalid options, and at the start without a path and a run directory.
 */
export function stepHistory(options: StepHistoryOptions = {}): Callback {
  throwProblems(fieldProblems("stepHistory", options, fields));
  const { every = 1, onError } = options;
  let path = "";
  let rows: string[] = [];
  const attempt = async (write: () => Promise<void>): Promise<void> => {
    try {
      await write();
    } catch (error) {
      if (onError === undefined || !(error instanceof FileError)) throw error;
      onError(error);
    }
  };
  const append = (): Promise<void> =>
    attempt(async () => {
      if (rows.length === 0) return;
      await appendFile(path, rows.join("")).catch((error: unknown) => {
        throw unwritable(path, error);
      });
      rows = [];
    });
  return {
    async onTrainBegin({ out, step }) {
      if (options.path === undefined && out === undefined)
        throw new TrainerError("stepHistory: expected a path, or a run directory (out) for its steps.csv.");
      path = options.path ?? join(runDirectory(out!).path, "steps.csv");
      rows = [];
      await attempt(async () => {
        const before = step > 0 && existsSync(path) ? keptRows(await readFile(path, "utf8"), step) : [];
        await writeFileAtomic(path, `${[header, ...before].join("\n")}\n`);
      });
    },
    onTrainBatchEnd(_batch, { epoch, stepLoss, lr }, { step }) {
      if (step % every === 0) rows.push(`${step},${epoch},${stepLoss},${lr}\n`);
    },
    onEpochEnd: append,
    onTrainEnd: append,
    onTrainError: append,
  };
}

/** The whole rows up to a step. A killed process may have left a part of one. */
function keptRows(text: string, step: number): string[] {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .slice(1)
    .filter((line) => /^\d+,/.test(line) && Number.parseInt(line, 10) <= step);
}
