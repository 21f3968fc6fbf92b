import process from "node:process";

/** Prints the events of this process that somebody listens to, before and after the engine is imported and used. */
const listened = (): string =>
  process
    .eventNames()
    .map((name) => `${String(name)} ${process.listenerCount(name as "exit")}`)
    .toSorted()
    .join(", ");

const before = listened();
const { useEngine } = await import("../../src/index.ts");
const imported = listened();
await useEngine(process.env["ENGINE"] as "wasm", { threads: 2 });
process.stdout.write(JSON.stringify({ before, imported, used: listened() }), () => process.exit(0));
