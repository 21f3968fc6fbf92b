import { syncBuiltinESMExports } from "node:module";
import nodeCrypto from "node:crypto";
import { GraphError } from "../graph-error.ts";
import { isTracing } from "../tfjs/recording.ts";
import { callerFrames, place, userLine } from "../trace/user-line.ts";
import type { Patches } from "./patches.ts";
import type { TracePatch } from "./trace-patch.ts";

const cryptoFunctions = [
  "randomBytes",
  "pseudoRandomBytes",
  "randomFillSync",
  "randomFill",
  "randomInt",
  "randomUUID",
] as const;

/**
 * What: clocks and random generators of JavaScript throw where the traced function calls them. tfjs' own calls (its profiler)
 * and those of Node's own code pass. `Math.random` is in random.ts.
 * Why: their values would be constants of the graph, the same at every run.
 * Undone: when the trace ends.
 */
export const nondeterminismPatch: TracePatch = {
  targets: [
    "Date",
    "Date.now",
    "performance.now",
    "process.hrtime",
    "crypto.getRandomValues",
    "crypto.randomUUID",
    `node:crypto: ${cryptoFunctions.join(", ")}`,
  ],
  apply(patches) {
    // Undone last: the ES module exports of node:crypto follow its functions.
    patches.onUndo(syncBuiltinESMExports);
    refuse(patches, Date, "now", "Date.now");
    refuse(patches, performance, "now", "performance.now");
    refuse(patches, process, "hrtime", "process.hrtime");
    for (const name of ["getRandomValues", "randomUUID"] as const)
      refuse(patches, globalThis.crypto, name, `crypto.${name}`);
    for (const name of cryptoFunctions) refuse(patches, nodeCrypto, name, `crypto.${name}`);
    patches.wrap(globalThis as { Date: DateConstructor }, "Date", () => checkedDate(Date) as never);
    syncBuiltinESMExports();
  },
};

/** Throws for a function whose value differs from call to call, naming the user's line. */
export function refuseCall(name: string): never {
  throw new GraphError(
    `${name} was called inside a compiled function${place(userLine())}: its value would be a constant of the graph, the same at every run. For random numbers use tf.randomUniform or tf.randomNormal, or random.uniform, random.normal … of @convkit/graph; give other values as arguments, or read them from a hyper.`,
  );
}

function refuse<T extends object>(patches: Patches, target: T, key: keyof T & string, name: string): void {
  if (typeof target[key] !== "function") return;
  patches.wrap(target, key, (original) => {
    function checked(this: unknown, ...args: unknown[]): unknown {
      if (isTracing() && isCalledByUser()) refuseCall(name);
      return original.apply(this, args);
    }
    return Object.assign(checked, original);
  });
}

/** A `Date` that refuses to give the current time; dates of given times work as before. */
function checkedDate(original: DateConstructor): DateConstructor {
  return new Proxy(original, {
    construct(target, args, newTarget) {
      if (args.length === 0 && isTracing() && isCalledByUser()) refuseCall("new Date()");
      return Reflect.construct(target, args, newTarget) as object;
    },
    apply(target, self, args) {
      if (isTracing() && isCalledByUser()) refuseCall("Date()");
      return Reflect.apply(target as () => string, self, args);
    },
  });
}

/** True if neither tfjs nor Node itself made the call. */
function isCalledByUser(): boolean {
  const frames = callerFrames().filter(({ file }) => !/[\\/]patches[\\/]nondeterminism\.[jt]s$/.test(file));
  const caller = frames.find(({ file, name }) => !passesOn(file, name));
  return caller !== undefined && !/@tensorflow|^node:/.test(caller.file);
}

/**
 * True for functions whose caller counts: `tf.util.now`, and `getRandomValues` of node:crypto, which calls the one of
 * `crypto`.
 */
function passesOn(file: string, name: string): boolean {
  return (
    (/@tensorflow/.test(file) && /\bnow$/.test(name)) || (file.startsWith("node:") && /\bgetRandomValues$/.test(name))
  );
}
