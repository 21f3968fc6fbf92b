import { describe, expect, test } from "vitest";
import { replicaArgs } from "../src/training/replicas.ts";
import { readTfConfig } from "../src/training/tf-config.ts";
import { call } from "./run-cli.ts";

const two = { worker: ["10.0.0.1:2222", "10.0.0.2:2222"] };
const first = { type: "worker", index: 0 };

describe("TF_CONFIG", () => {
  test.each([
    ["workers alone: the first is the chief", { cluster: two, task: first }, 0],
    [
      "a chief and workers, as Kubeflow's TFJob tells them",
      {
        cluster: {
          chief: ["job-chief-0.ns.svc:2222"],
          worker: ["job-worker-0.ns.svc:2222", "job-worker-1.ns.svc:2222"],
        },
        task: { type: "worker", index: 1 },
        environment: "cloud",
      },
      2,
    ],
    ["an index as text, which TensorFlow reads, too", { cluster: two, task: { type: "worker", index: "1" } }, 1],
    ["an address of IPv6", { cluster: { worker: ["[::1]:2222", "[::1]:2223"] }, task: first, rpc_layer: "grpc" }, 0],
  ])("takes %s", (_title, config, rank) => {
    const seat = readTfConfig(JSON.stringify(config))!;
    const { chief = [], worker } = config.cluster as { readonly chief?: string[]; readonly worker: string[] };
    const addresses = [...chief, ...worker];
    expect(seat.members.map(({ address }) => address)).toEqual(addresses);
    expect([seat.rank, seat.task.index]).toEqual([rank, Number(config.task.index)]);
  });

  test.each([undefined, "", " ", JSON.stringify({ cluster: { worker: ["a:1"] }, task: first })])(
    "names no other process: %s",
    (text) => expect(readTfConfig(text)).toBeUndefined(),
  );

  test.each<[string, unknown, RegExp]>([
    ["broken JSON", '{"cluster": ', /^TF_CONFIG: expected JSON as in \{"cluster".*, got ".*: .*end of JSON input\.$/],
    ["a list", [], /expected the variable to be an object, got \[\]\.$/],
    ["no cluster", { task: first }, /expected cluster to be an object, got undefined/],
    ["no task", { cluster: two }, /expected task to be an object, got undefined/],
    ["no worker", { cluster: {}, task: first }, /expected a chief or a worker in cluster, got none/],
    ["an evaluator", { cluster: two, task: { type: "evaluator", index: 0 } }, /got evaluator: .*start no evaluator\.$/],
    ["a parameter server", { cluster: { ...two, ps: ["a:1"] }, task: first }, /got ps: gradients are summed by all/],
    ["a master", { cluster: { ...two, master: ["a:1"] }, task: first }, /got master: name it chief\.$/],
    ["an unknown job", { cluster: { ...two, wroker: ["a:1"] }, task: first }, /got "wroker"\. Did you mean "worker"\?/],
    ["an unknown key", { cluster: two, task: first, tasks: 1 }, /the keys cluster and task, got \{"tasks":1\}\.$/],
    ["another protocol", { cluster: two, task: first, rpc_layer: "http" }, /got \{"rpc_layer":"http"\}\.$/],
    ["an unknown key of the task", { cluster: two, task: { ...first, rank: 0 } }, /task: expected the options type, /],
    [
      "an index out of range",
      { cluster: two, task: { type: "worker", index: 2 } },
      /worker 0, worker 1, got "worker" 2/,
    ],
    ["a negative index", { cluster: two, task: { type: "worker", index: -1 } }, /got "worker" -1\.$/],
    ["a part of an index", { cluster: two, task: { type: "worker", index: 0.5 } }, /got "worker" 0\.5\.$/],
    ["a task of no list", { cluster: two, task: { type: "chief", index: 0 } }, /got "chief" 0\.$/],
    ["two chiefs", { cluster: { ...two, chief: ["a:1", "b:1"] }, task: first }, /expected one chief in cluster, got 2/],
    [
      "one address twice",
      { cluster: { worker: ["a:1", "a:1"] }, task: first },
      /each address once in cluster, got a:1/,
    ],
    ["no port", { cluster: { worker: ["a", "b:1"] }, task: first }, /expected host:port in cluster\.worker, got "a"/],
    ["a port that cannot be", { cluster: { worker: ["a:65536"] }, task: first }, /host:port .* got "a:65536"/],
    [
      "an address that is no list",
      { cluster: { worker: "a:1" }, task: first },
      /cluster\.worker to be a list .* "a:1"/,
    ],
  ])("with %s is refused", (_title, config, message) => {
    const text = typeof config === "string" ? config : JSON.stringify(config);
    expect(() => readTfConfig(text)).toThrow(
      expect.objectContaining({ name: "UsageError", message: expect.stringMatching(message) }) as Error,
    );
  });
});

describe("what several workers cannot do is refused before any starts", () => {
  test.each<[string[], RegExp]>([
    [["--folds", "3"], /cannot train so: --folds trains one fold after the other/],
    [["--plan", '{"swa": {"start": 1}}'], /swa of the plan gathers its mean in one process/],
    [["--plan", '{"loss": {"name": "categorical-crossentropy", "reduction": "sum"}}'], /the loss must be a mean/],
    [["--validation-runtime", "auto"], /--validation-runtime validates in one process/],
    [["--recipe", "fine-tune"], /--recipe fine-tune has several trainings/],
    [
      ["--health", "5", "--plan", '{"accumulate": 2}'],
      /--health measures each worker's own gradients where accumulate/,
    ],
    [["--engine", "wasm"], /--engine wasm computes in one process/],
    [["--engine", "webgpu"], /--engine webgpu computes in one process/],
    [["--replicas", "1"], /whole number from 2/],
  ])("%j", async (args, message) => {
    const { status, err } = await call("train", "lenet5-mnist", "--replicas", "2", ...args);
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });

  test.each<[string[], RegExp]>([
    [["--restarts", "2"], /--restarts starts the processes of --replicas anew: give both/],
    [["--worker-timeout", "5"], /--worker-timeout is for several workers: give --replicas, or set TF_CONFIG/],
    [["--wire", "bfloat16"], /--wire is for several workers/],
  ])("%j without several workers", async (args, message) => {
    const { status, err } = await call("train", "lenet5-mnist", ...args);
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });
});

test("each process of --replicas gets the command line without what concerns the parent", () => {
  const args = ["--json", "train", "lenet5-mnist", "--replicas", "2", "--restarts=3", "--out", "x", "--epochs", "2"];
  const place = { threads: 1, folder: "/runs/a" };
  const rest = ["--json", "train", "lenet5-mnist", "--epochs", "2", "--threads", "1"];
  expect(replicaArgs(args, { ...place, isResumed: false })).toEqual([...rest, "--out", "/runs/a"]);
  expect(replicaArgs([...args, "--threads", "4"], { ...place, isResumed: true })).toEqual([
    ...rest,
    "--resume",
    "/runs/a",
  ]);
});
