import { env } from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, expect, vi } from "vitest";

// Silences the banner that tfjs prints when it loads without its Node backend.
env().set("IS_TEST", true);

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
