export { writeComparison } from "./write-comparison.ts";
export type { ComparedRun } from "./write-comparison.ts";
export { writeReport } from "./write-report.ts";
export type { ReportContent } from "./write-report.ts";
