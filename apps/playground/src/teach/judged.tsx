import { confusionChart } from "@convkit/report/charts";
import type { Taught } from "../compute/compute.ts";
import { Chart } from "../parts/chart.tsx";

/** How good the network is, and what it takes for what. */
export function Judged({ classes, evaluation, judged }: Taught) {
  const { accuracy, count, confusion } = evaluation;
  const mistakes = confusion.flatMap((row, actual) =>
    row.flatMap((times, predicted) =>
      times > 0 && actual !== predicted ? [`${classes[actual]} taken for ${classes[predicted]} ${times} times`] : [],
    ),
  );
  const words = mistakes.length === 0 ? "no mistakes" : mistakes.join(", ");
  return (
    <div>
      <h3>Confusion matrix</h3>
      <p role="status">
        {(accuracy * 100).toFixed(1)} % of {count} pictures are told right.{" "}
        {judged === "all"
          ? "These are the pictures that it learned from; with five pictures a class, some are kept to judge it by."
          : "It did not learn from these."}
      </p>
      <Chart svg={confusionChart(confusion, classes)} label={`Confusion matrix: ${words}`} />
    </div>
  );
}
