import { env } from "@tensorflow/tfjs-core";
import { configureGlobal } from "fast-check";
import seedrandom from "seedrandom";
import { afterEach, beforeEach, expect, vi } from "vitest";

// Silences the banner that tfjs prints when it loads without its Node backend.
env().set("IS_TEST", true);

// A run of the tests depends on the code alone: cases, weights and inputs are drawn alike each time, and others with another seed.
const seed = Number(process.env["CONVKIT_SEED"] ?? 20_260_801);
configureGlobal({ seed });
seedrandom(String(seed), { global: true });

const methods = ["log", "info", "warn", "error", "debug"] as const;

/** A library never prints: a stray console call fails the test it happened in. */
beforeEach(() => {
  for (const method of methods) vi.spyOn(console, method);
});

afterEach(() => {
  const calls = methods.flatMap(
    (method) => vi.mocked(console[method]).mock?.calls.map((args) => [method, ...args]) ?? [],
  );
  vi.restoreAllMocks();
  expect(calls, "a stray console call").toEqual([]);
});
