import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fromArrays } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterEach, expect, test } from "vitest";
import type { Callback, Training } from "../src/index.ts";
import { mlflow, track, type Tracker, trackio, train, webhook } from "../src/index.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function jsonOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = "";
  for await (const part of request) text += String(part);
  return JSON.parse(text === "" ? "{}" : text) as Record<string, unknown>;
}

/** A training of three steps and one epoch, by hand: the callbacks see no more of it. */
async function trained(callback: Callback, signal = new AbortController().signal): Promise<void> {
  const training = { out: "runs/one", epochs: 1, stepsPerEpoch: 3, step: 0, stopReason: undefined, signal };
  const seen = training as unknown as Training;
  await callback.onTrainBegin?.(seen);
  for (const step of [1, 2, 3]) {
    const logs = { epoch: 1, batch: step, size: 4, stepLoss: 1 / step, loss: 1, lr: 0.5, imagesPerSecond: 9 };
    training.step = step;
    await callback.onTrainBatchEnd?.(step - 1, logs, seen);
  }
  const metrics = { auc: 0.75, "f1.a b": Number.NaN };
  await callback.onEpochEnd?.(1, { epoch: 1, loss: 0.5, accuracy: 0.75, lr: 0.5, seconds: 1, metrics }, seen);
  await callback.onTrainEnd?.(seen);
}

test("mlflow sends what its REST API 2.0 asks for", async () => {
  const asked: { line: string; body: Record<string, unknown> }[] = [];
  const url = await serve((request, response) => {
    void jsonOf(request).then((body) => {
      asked.push({ line: `${request.method} ${request.url}`, body });
      response.setHeader("content-type", "application/json");
      if (request.url?.includes("get-by-name")) {
        response.writeHead(404).end(JSON.stringify({ error_code: "RESOURCE_DOES_NOT_EXIST", message: "no" }));
        return;
      }
      const made = request.url?.endsWith("experiments/create")
        ? { experiment_id: "7" }
        : { run: { info: { run_id: "abc" } } };
      response.end(JSON.stringify(made));
    });
  });
  const notes: string[] = [];
  const before = Date.now();
  const settings = { rate: 0.5, "a:b": "x" };
  await trained(
    track(mlflow(url, { experiment: "my nets" }), { settings, everySteps: 2, onNote: (note) => void notes.push(note) }),
  );
  expect(notes).toEqual([]);
  const api = "/api/2.0/mlflow";
  expect(asked.map(({ line }) => line)).toEqual([
    `GET ${api}/experiments/get-by-name?experiment_name=my%20nets`,
    ...["experiments/create", "runs/create", "runs/log-batch", "runs/log-batch", "runs/log-batch", "runs/update"].map(
      (path) => `POST ${api}/${path}`,
    ),
  ]);
  const [, experiment, run, params, steps, epoch, end] = asked.map(({ body }) => body);
  expect(experiment).toEqual({ name: "my nets" });
  expect(run).toMatchObject({ experiment_id: "7", run_name: "one" });
  const time = run!["start_time"] as number;
  expect(Number.isSafeInteger(time) && time >= before && time <= Date.now()).toBe(true);
  // Names may have letters, digits, `_-. /`.
  const values = { epochs: "1", stepsPerEpoch: "3", rate: "0.5", a_b: "x" };
  expect(params).toEqual({ run_id: "abc", params: Object.entries(values).map(([key, value]) => ({ key, value })) });
  const metric = (key: string, value: number, step: number) => ({
    key,
    value,
    step,
    timestamp: expect.any(Number) as number,
  });
  expect(steps).toEqual({ run_id: "abc", metrics: [metric("step_loss", 0.5, 2), metric("step_lr", 0.5, 2)] });
  // JSON has no NaN.
  const numbers = { epoch: 1, loss: 0.5, accuracy: 0.75, lr: 0.5, auc: 0.75 };
  expect(epoch).toEqual({
    run_id: "abc",
    metrics: Object.entries(numbers).map(([key, value]) => metric(key, value, 3)),
  });
  expect(end).toMatchObject({ run_id: "abc", status: "FINISHED" });
});

test("a resumed run goes on in MLflow, and each end has its state", async () => {
  const asked: { path: string; body: Record<string, unknown> }[] = [];
  const url = await serve((request, response) => {
    void jsonOf(request).then((body) => {
      asked.push({ path: request.url!.replace("/api/2.0/mlflow/", ""), body });
      response.end(JSON.stringify({ experiment: { experiment_id: "7" }, run: { info: { run_id: "abc" } } }));
    });
  });
  const { signal } = new AbortController();
  const training = { out: "runs/one", epochs: 2, stepsPerEpoch: 1, step: 0, stopReason: undefined, signal };
  const first = track(mlflow(url));
  await first.onTrainBegin!(training as unknown as Training);
  await first.onTrainEnd!({ ...training, signal: AbortSignal.abort() } as unknown as Training);
  const state = JSON.parse(JSON.stringify(first.state!())) as { id: string };
  expect(state).toEqual({ id: "abc" });
  const second = track(mlflow(url));
  second.restore!(state);
  await second.onTrainBegin!({ ...training, step: 5 } as unknown as Training);
  await second.onTrainError!(new Error("the disk is full"), training as unknown as Training);
  const third = track(mlflow(url));
  await third.onTrainBegin!(training as unknown as Training);
  await third.onTrainEnd!({ ...training, stopReason: "the loss of step 1 is not finite" } as unknown as Training);
  const updates = asked
    .filter(({ path }) => path === "runs/update")
    .map(({ body }) => [body["run_id"], body["status"]]);
  expect(updates).toEqual([
    ["abc", "KILLED"],
    ["abc", "RUNNING"],
    ["abc", "FAILED"],
    ["abc", "FAILED"],
  ]);
  // The resumed run is not made again.
  expect(asked.filter(({ path }) => path === "runs/create")).toHaveLength(2);
});

test("trackio gets what its HTTP interface asks for", async () => {
  const asked: { path: string; token: unknown; body: Record<string, unknown> }[] = [];
  const url = await serve((request, response) => {
    void jsonOf(request).then((body) => {
      const token = request.headers["x-trackio-write-token"];
      asked.push({ path: request.url!, token, body });
      if (token === "secret") response.end('{"data": null}');
      else response.writeHead(400).end('{"error": "A write_token is required"}');
    });
  });
  const notes: string[] = [];
  const onNote = (note: string) => void notes.push(note);
  const settings = { rate: 0.5, _Own: "x" };
  const callback = track(trackio(`${url}/?write_token=secret`, { project: "nets" }), {
    settings,
    everySteps: 2,
    onNote,
  });
  await trained(callback, AbortSignal.abort());
  expect(notes).toEqual([]);
  const { id } = callback.state!() as { id: string };
  const run = { project: "nets", run: "one", run_id: id };
  const config = { epochs: "1", stepsPerEpoch: "3", rate: "0.5", Own: "x" };
  const body = (kwargs: object) => ({ args: [], kwargs: { ...kwargs, hf_token: null } });
  const epoch = { epoch: 1, loss: 0.5, accuracy: 0.75, lr: 0.5, auc: 0.75 };
  expect(asked).toEqual(
    [
      ["bulk_log", { logs: [{ ...run, metrics: { step_loss: 0.5, step_lr: 0.5 }, step: 2, config }] }] as const,
      ["bulk_log", { logs: [{ ...run, metrics: epoch, step: 3 }] }] as const,
      [
        "bulk_alert",
        {
          alerts: [
            { ...run, title: "The training was interrupted", level: "warn", timestamp: expect.any(String) as string },
          ],
        },
      ] as const,
    ].map(([name, kwargs]) => ({ path: `/api/${name}`, token: "secret", body: body(kwargs) })),
  );
  await trained(track(trackio(url), { onNote }));
  expect(notes).toEqual([
    expect.stringMatching(/trackio failed \(.*answered 400.*give the address with its write_token/),
  ]);
  expect(() => trackio("localhost:7860")).toThrow(/expected the address of a server/);
});

test("a training that an error ends tells its callbacks, once it has begun", async () => {
  await useEngine("wasm");
  const told: string[] = [];
  const images = new Uint8Array(8);
  const data = fromArrays({ images, shape: [2, 2, 1], labels: [0, 1], name: "two" });
  const input = tfl.input({ shape: [2, 2, 1] });
  const flat = tfl.layers.flatten().apply(input);
  const out = tfl.layers.dense({ units: 2, activation: "softmax" }).apply(flat) as tfl.SymbolicTensor;
  const callback: Callback = {
    onTrainBatchEnd: () => {
      throw new Error("no disk");
    },
    onTrainEnd: () => void told.push("end"),
    onTrainError: (error) => {
      told.push((error as Error).message);
      throw new Error("hides nothing");
    },
  };
  const model = tfl.model({ inputs: input, outputs: out });
  await expect(train({ model, data, epochs: 1, progress: false, callbacks: [callback] })).rejects.toThrow("no disk");
  expect(told).toEqual(["no disk"]);
});

test("a tracker that is down or answers 500 is told of once, and the training goes on", async () => {
  let count = 0;
  const broken = await serve((_, response) => {
    count += 1;
    response.writeHead(500).end('{"error_code": "INTERNAL_ERROR"}');
  });
  const gone = await serve(() => {});
  await new Promise((resolve) => servers.pop()!.close(resolve));
  for (const [url, why] of [
    [broken, /MLflow failed \(.*answered 500 INTERNAL_ERROR\): it gets no more numbers/],
    [gone, /MLflow failed \(.*ECONNREFUSED.*\)/],
  ] as const) {
    const notes: string[] = [];
    await trained(track(mlflow(url), { everySteps: 1, onNote: (note) => void notes.push(note) }));
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(why);
  }
  expect(count).toBe(1);
});

test("a tracker that never answers costs the training one timeout at its end", async () => {
  const url = await serve(() => {});
  const notes: string[] = [];
  const callback = track(mlflow(url), { everySteps: 1, timeout: 50, onNote: (note) => void notes.push(note) });
  await trained(callback);
  expect(notes).toHaveLength(1);
  // One that ignores its signal, too.
  const never = () => new Promise<void>(() => {});
  const deaf: Tracker = { name: "deaf", start: never, log: never, end: never };
  await trained(track(deaf, { timeout: 50, onNote: (note) => void notes.push(note) }));
  expect(notes).toHaveLength(2);
  expect(notes[1]).toMatch(/^The tracker deaf (failed|did not take the last messages)/);
});

test("a tracker with strange answers is told of once, in one line", async () => {
  const answers: readonly (readonly [answer: string, why: RegExp])[] = [
    ["{}", /expected an answer with experiment\.experiment_id/],
    ["null", /expected an answer with experiment\.experiment_id/],
    ['{"experiment": {"experiment_id": {"a": 1}}}', /expected an answer with experiment\.experiment_id/],
    ['{"experiment": {"experiment_id": "1"}, "run": []}', /expected an answer with run\.info\.run_id/],
    ["<html>", /answered no JSON/],
    [`"${"x".repeat(2 << 20)}"`, /answered more than 1048576 bytes/],
  ];
  for (const [answer, why] of answers) {
    const url = await serve((_, response) => void response.end(answer));
    const notes: string[] = [];
    await trained(track(mlflow(url), { onNote: (note) => void notes.push(note) }));
    expect(notes).toEqual([expect.stringMatching(why)]);
  }
  const url = await serve((_, response) => void response.writeHead(500).end('{"error_code": "A\u001b[2J"}'));
  const notes: string[] = [];
  await trained(track(mlflow(url), { onNote: (note) => void notes.push(note) }));
  expect(notes).toEqual([expect.not.stringContaining("\u001b")]);
});

test("an interrupted training is told as one, and waits a second at most for a server that never answers", async () => {
  const ends: unknown[] = [];
  const done = async () => {};
  const told: Tracker = { name: "told", start: done, log: done, end: async (how) => void ends.push(how) };
  const interrupted = AbortSignal.abort();
  await trained(track(told), interrupted);
  expect(ends).toEqual(["interrupted"]);
  const url = await serve(() => {});
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  // With the hours that they may take otherwise, the test would not end.
  await trained(track(mlflow(url), { timeout: 10_000_000, onNote: note }), interrupted);
  expect(notes).toEqual([expect.stringMatching(/did not take the last messages within 1 s/)]);
  await trained(webhook(url, { timeout: 10_000_000, onError: ({ name }) => note(name) }), interrupted);
  expect(notes.slice(1)).toEqual(["TimeoutError", "TimeoutError", "TimeoutError"]);
});

test("refuses what cannot be meant", () => {
  expect(() => mlflow("localhost:5000")).toThrow(/expected the address of a server/);
  expect(() => track(mlflow("http://localhost"), { timeout: 0 })).toThrow(/timeout must be a number above 0/);
  expect(() => track(mlflow("http://localhost"), { everyStep: 1 } as object)).toThrow(/everyStep/);
});
