// Training runs as HTML pages.
export * from "@convkit/report";
