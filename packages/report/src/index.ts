export { writeComparison } from "./write-comparison.ts";
export type { ComparedRun } from "./write-comparison.ts";
export { writeReport } from "./write-report.ts";
export type { ReportContent } from "./write-report.ts";
export { writeHealthReport } from "./write-health-report.ts";
export type { HealthRun } from "./write-health-report.ts";
