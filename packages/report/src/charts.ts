/** The charts of a report as SVG texts, in Node and in web pages. */
export { confusionChart } from "./charts/confusion-chart.ts";
export { lineChart, type LineOptions, type Series } from "./charts/line-chart.ts";
