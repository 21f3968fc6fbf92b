import { expect, test } from "vitest";
import { call, spawned } from "./run-cli.ts";

const zeros = JSON.stringify({ instances: [Array.from({ length: 28 }, () => Array.from({ length: 28 }, () => [0]))] });

test("serve answers until SIGTERM, and then every request that it accepted", async () => {
  const statuses: number[] = [];
  let clients: Promise<unknown> | undefined;
  const over = new AbortController();
  const said = await spawned(
    [
      "serve",
      "digits=lenet5",
      "--seed",
      "1",
      "--engine",
      "wasm",
      "--runtime",
      "wasm",
      "--port",
      "0",
      "--json",
      "--drain",
      "200",
    ],
    {
      meanwhile(child, err) {
        const [, url] = /"event":"ready","url":"([^"]+)"/.exec(err) ?? [];
        if (url === undefined || clients !== undefined) return;
        const client = async (): Promise<void> => {
          while (!over.signal.aborted) {
            const response = await fetch(`${url}/v1/models/digits:predict`, { method: "POST", body: zeros }).catch(
              () => undefined,
            );
            // Nobody listens any more.
            if (response === undefined) return;
            statuses.push(response.status);
            await response.text();
            if (statuses.length === 30) child.kill("SIGTERM");
          }
        };
        clients = Promise.all([client(), client(), client(), client()]);
      },
    },
  );
  over.abort();
  await clients;
  expect(said.status, said.err).toBe(143);
  const ready = JSON.parse(said.out) as { url: string; models: object[] };
  expect(ready.models).toEqual([{ name: "digits", version: 1, runtime: "wasm", precision: "float32" }]);
  const log = said.err
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const answered = log.filter(({ event, path }) => event === "request" && path === "/v1/models/digits:predict");
  expect(answered.length).toBeGreaterThanOrEqual(30);
  expect(statuses).toEqual(answered.map(() => 200));
  expect(answered.map(({ status }) => status)).toEqual(statuses);
  expect(log.at(-1)).toMatchObject({ level: "info", event: "closed" });
});

test.each([
  [["serve"], 2, /missing required argument 'models'/],
  [["serve", "lenet5"], 1, /The model lenet5, version 1, cannot be served: lenet5 has random weights/],
  [["serve", "lenet5", "x=lenet5", "--classes", "3"], 2, /are for one model: serve it alone/],
  [["serve", "lenet5", "--label", "lenet5=3"], 2, /expected a model, a label and a version, as in digits\/stable=3/],
  [["serve", "lenet5", "--label", "other/stable=3"], 1, /expected labels of the models lenet5, got "other"/],
  [["serve", "x=lenet5", "x=alexnet"], 2, /Two models have the name x: give one another name, as in other=alexnet/],
  [["serve", "missing.keras", "--port", "0"], 1, /cannot be served: Unknown model/],
] as const)("convkit %j", async (args, status, message) => {
  const said = await call(...args, "--engine", "wasm", "--quiet");
  expect(said.status, said.err).toBe(status);
  expect(said.err).toMatch(message);
});
