// Not for users: the parts of pages that other packages of convkit put together.
export { type Html, html, trusted } from "./html.ts";
export { chartFile, curve, facts, grid, page, section, tableOf, tiles } from "./page.ts";
export { gradientChart } from "./health-charts.ts";
export { lineChart, type Series } from "./charts/line-chart.ts";
export { rateChart } from "./charts/rate-chart.ts";
export { overlaid } from "./mask-pictures.ts";
