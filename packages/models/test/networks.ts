import type { Architecture } from "@convkit/core";
import { zoo } from "@convkit/models";
import { isRunInSlowTests } from "@convkit/testing";

/**
 * The networks that slow tests run: one of each builder; `CONVKIT_SUITES=1` runs all. Parameters, multiply-adds, names and shapes of
 * all networks, and the logits of those that have a peer, are compared in every run.
 */
export const networks = Object.values<Architecture>(zoo).filter(({ name }) => isRunInSlowTests(name));
