import type { Evaluation, Expectation, TaskEvaluation } from "@convkit/trainer";
import { percent } from "../terminal/format.ts";

/** A value that a recipe must reach, and the value of a run. */
interface Promised {
  readonly least: number;
  readonly reached: number;
  /** The least value and the run's own, for messages. */
  readonly text: string;
  readonly own: string;
}

/** What a recipe must reach beside what a run reached; empty for a run that was not judged. */
export function promises(
  { accuracy, metrics = {} }: Expectation = {},
  {
    test,
    tasks,
  }: { readonly test: Pick<Evaluation, "accuracy"> | undefined; readonly tasks: TaskEvaluation | undefined },
): Promised[] {
  const ofClasses =
    accuracy === undefined || test === undefined
      ? []
      : [{ least: accuracy, reached: test.accuracy, text: percent(accuracy), own: percent(test.accuracy) }];
  const ofTasks = Object.entries(tasks === undefined ? {} : metrics).map(([name, least]) => {
    // A metric that is not defined on these images is not reached.
    const reached = tasks!.metrics[name] ?? Number.NaN;
    return { least, reached, text: `${name} ${least}`, own: reached.toFixed(4) };
  });
  return [...ofClasses, ...ofTasks];
}

/** What a recipe must reach, in words; empty if it states nothing. */
export function promiseText({ accuracy, metrics = {} }: Expectation = {}): string {
  return [
    ...(accuracy === undefined ? [] : [percent(accuracy)]),
    ...Object.entries(metrics).map(([name, least]) => `${name} ${least}`),
  ].join(", ");
}
