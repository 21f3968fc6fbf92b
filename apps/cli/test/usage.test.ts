import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskEvaluation } from "@convkit/trainer";
import { describe, expect, test } from "vitest";
import { promises } from "../src/training/promise.ts";
import { userFolder } from "../src/inputs/user-path.ts";
import { call, spawned } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-cli-"));
writeFileSync(join(folder, "text.npy"), "not an array, but long enough");
writeFileSync(join(folder, "notes.txt"), "no model");
writeFileSync(join(folder, "plan.json"), '{"speed": 1}');

describe("bad usage is told in one sentence, with status 2", () => {
  const cases: [string[], RegExp][] = [
    [[], /^convkit: no command was given: the commands are list, summary, train/],
    [["lst"], /^convkit: unknown command 'lst': the commands are list, summary, train/],
    [["list", "--fast"], /^convkit: unknown option '--fast': convkit list knows --recipes, --engine/],
    [["--engine", "tpu", "list"], /Allowed choices are auto, gpu, native, wasm/],
    [["list", "--threads", "0"], /whole number from 1/],
    [["list", "nothing*"], /^convkit: No model matches "nothing\*"/],
    [
      ["train", "nope"],
      /^convkit: Unknown recipe or model "nope": it is neither a file nor a run directory here; the recipes are lenet5-mnist, .*; the zoo has lenet5,/,
    ],
    [["train"], /Give a recipe or a model to train, or --resume/],
    [["train", "lenet5"], /Training lenet5 needs --data/],
    [["train", "lenet5", "--quick", "--data", "mnist"], /--quick is for recipes/],
    [["train", "lenet5-mnist", "--optimizer", "speedy"], /Unknown optimizer "speedy": the optimizers are sgd/],
    [["train", "lenet5-mnist", "--schedule", "sine"], /Unknown schedule "sine": known are constant/],
    [
      ["train", "lenet5-mnist", "--schedule", "cosine:restarts=1,multiply=0.5"],
      /schedule\.multiply must be a number from 1, not 0\.5/,
    ],
    [["train", "lenet5-mnist", "--precision", "int4"], /Allowed choices are float32, bfloat16, float16/],
    [["train", "lenet5-mnist", "--plan", "focal"], /^convkit: --plan must be a JSON object, as in '/],
    [
      ["train", "lenet5-mnist", "--plan", '{"speed": 1}'],
      /^convkit: --plan cannot set speed: it may have loss, metrics, lossWeights/,
    ],
    [
      ["train", "lenet5-mnist", "--plan", '{"accumulate": 0, "optimizer": {"name": "adam", "beta": 1}}'],
      /^convkit: --plan is invalid: optimizer has no beta: it may have learningRate, .* accumulate must be a whole/,
    ],
    [
      ["train", "lenet5-mnist", "--plan", "@gone.json"],
      /^convkit: --plan @gone\.json: expected a file with a JSON object, but it/,
    ],
    [
      ["train", "lenet5-mnist", "--plan", `@${join(folder, "notes.txt")}`],
      /--plan must be a JSON object, .* or @ and a file/,
    ],
    [["train", "lenet5-mnist", "--plan", `@${join(folder, "plan.json")}`], /--plan cannot set speed/],
    [["train", "lenet5-mnist", "--plan", '{"schedule": "sine"}'], /Unknown schedule "sine": known are constant/],
    [["train", "lenet5-mnist", "--no-top"], /A network without its top tells no classes apart: leave out --no-top/],
    [["train", "lenet5-mnist", "--webhook", "here"], /It must be a URL, as in https:/],
    [["train", "--resume", join(folder, "gone")], /there is no config\.json, so it is no run directory/],
    [["summary", "lenet6"], /^convkit: Unknown model "lenet6": .* the zoo has lenet5/],
    [["summary", folder], /holds no model: expected model\/model\.json/],
    [["evaluate", "lenet5"], /required option '--data <name-or-folder>' not specified/],
    [
      ["evaluate", "lenet5", "--data", "mmnist"],
      /Unknown data "mmnist": it is no folder here, and the known data sets are mnist/,
    ],
    [["predict", "lenet5", "missing.png"], /There is no file missing\.png/],
    [["summary", "lenet5", "--input", "28x28"], /height, width and channels, as in 224x224x3/],
    [["engine", "instal"], /unknown command 'instal': the commands are list, install, remove.* Did you mean install\?/],
    [["trian", "lenet5"], /unknown command 'trian'.* Did you mean train\?/],
    [
      ["train", "lenet5", "--data", "mnist", "--batchsize", "8"],
      /unknown option '--batchsize'.* Did you mean --batch\?/,
    ],
    [["train", "Lenet5-MNIST"], /Unknown recipe or model "Lenet5-MNIST".* Did you mean lenet5-mnist\?/],
    [["train", "constructor", "--data", "mnist"], /Unknown recipe or model "constructor"/],
    [["train", "lenet5", "--data", "mnits"], /Unknown data "[^"]*mnits".* Did you mean mnist\?/],
    [
      ["train", "lenet5", "--data", "mnist", "--recipe", "fine-tune", "--freeze"],
      /--recipe fine-tune freezes and thaws/,
    ],
    [["train", "lenet5-mnist", "--weight-decay", "-1"], /must be a number from 0/],
    [["train", "lenet5-mnist", "--optimizer", "Adam"], /Unknown optimizer "Adam".* Did you mean adam\?/],
    [["train", "lenet5-mnist", "--epochs", "many"], /'many' is invalid\. It must be a whole number from 1/],
    [["train", "lenet5-mnist", "--lr", "fast"], /'fast' is invalid\. It must be a number above 0/],
    [["train", "lenet5-mnist", "--batch", "0"], /It must be a whole number from 1/],
    [["summary", "ResNet50"], /Unknown model "ResNet50".* Did you mean resnet50/],
    [["summary"], /missing required argument 'model'; see convkit summary --help/],
    [["summary", "lenet5", "extra"], /Expected 1 argument but got 2/],
    [["predict", "lenet5"], /missing required argument 'images'/],
    [
      ["predict", "lenet5", join(folder, "notes.txt")],
      /lenet5 has random weights, so its answers mean nothing: give --weights/,
    ],
    [
      ["predict", "none.keras", join(folder, "notes.txt")],
      /Unknown model "none\.keras": it is neither a file nor a run directory/,
    ],
    [["evaluate", "lenet5", "--data", "mnist", "--split", "tset"], /Allowed choices are test, validation, train/],
    [["convert", "lenet5"], /Say where to write: convkit convert lenet5 <out>/],
    [["convert", "lenet5", join(folder, "x.keras"), "--stock"], /--stock is for --to tfjs, not for .*x\.keras/],
    [["convert", "lenet5", join(folder, "x.keras"), "--keras2"], /--keras2 is for a model's \.h5, not for .*x\.keras/],
    [["convert", "lenet5", join(folder, "x.xyz")], /Cannot tell the format of .*x\.xyz: it must end in \.keras, \.h5/],
    [["data", "fetch", "mnits"], /Unknown data set "mnits".* Did you mean mnist\?/],
    [["data", "preview", "mnist"], /required option '--out <file\.png>' not specified/],
    [["data", "subset", folder, join(folder, "out")], /Give at least one of --train, --validation and --test/],
    [["compare", folder], /is no finished run directory: there is no metrics\.json/],
  ];
  test.each(cases)("convkit %j", async (args, message) => {
    const { status, out, err } = await call(...args);
    expect(err).toMatch(message);
    expect(err.trim().split("\n")).toHaveLength(1);
    expect([status, out]).toEqual([2, ""]);
  });
});

describe("work that fails ends with status 1", () => {
  test("a file that is no array", async () => {
    const { status, err } = await call(
      "run",
      "lenet5",
      "--input",
      join(folder, "text.npy"),
      "--output",
      join(folder, "y.npy"),
    );
    expect([status, err]).toEqual([1, expect.stringMatching(/text\.npy/)]);
  });
  test.each([
    ["convert", "lenet5", "x.onnx"],
    ["convert", "lenet5", "x.h5"],
    ["convert", "lenet5", "net/", "--to", "tfjs"],
    ["explain", "receptive-field", "lenet5", "--out", "x.svg"],
    ["data", "preview", "mnist", "--out", "x.png"],
  ])("%s %s into a folder that is a file", async (...args) => {
    const wall = join(folder, "wall");
    writeFileSync(wall, "");
    const place = args.findIndex((arg) => /^x\.|\/$/.test(arg));
    const there = args.with(place, join(wall, args[place]!));
    const { status, out, err } = await call(...there);
    expect([status, out]).toEqual([1, ""]);
    expect(err).toMatch(/wall\/\S+ cannot be written/);
  });
  test("a stack trace comes with --debug only", async () => {
    const quiet = await call("list", "nothing*");
    const loud = await call("list", "nothing*", "--debug");
    expect(quiet.err).not.toMatch(/\n\s+at /);
    expect(loud.err).toMatch(/\n\s+at /);
  });
});

test("list --json is the zoo as one document", async () => {
  const { status, out } = await call("--json", "list", "lenet*");
  expect(status).toBe(0);
  expect(JSON.parse(out)).toEqual([
    expect.objectContaining({
      name: "lenet5",
      source: "notebook",
      params: 61_706,
      trainable: 61_706,
      input: [28, 28, 1],
      classes: 10,
      macs: 416_520,
    }),
  ]);
});

test("list --recipes tells every recipe", async () => {
  const { out } = await call("list", "--recipes", "--json");
  expect((JSON.parse(out) as { name: string }[]).map(({ name }) => name)).toContain("lenet5-mnist");
});

test("a recipe's promise is kept by the metrics that reach it, and by no metric that is missing", () => {
  const tasks = { metrics: { r2: 0.91, f1: 0.5 } } as unknown as TaskEvaluation;
  const expected = { metrics: { r2: 0.9, f1: 0.6, auc: 0.1 } };
  const kept = promises(expected, { test: undefined, tasks }).map(({ reached, least, text, own }) => [
    text,
    own,
    reached >= least,
  ]);
  expect(kept).toEqual([
    ["r2 0.9", "0.9100", true],
    ["f1 0.6", "0.5000", false],
    ["auc 0.1", "NaN", false],
  ]);
  const [accuracy] = promises({ accuracy: 0.99 }, { test: { accuracy: 0.985 }, tasks: undefined });
  expect(accuracy).toEqual({ least: 0.99, reached: 0.985, text: "99.00 %", own: "98.50 %" });
  expect(promises(expected, { test: undefined, tasks: undefined })).toEqual([]);
});

test("the command itself: help on standard output, status 0", async () => {
  const { status, out, err } = await spawned(["--help"]);
  expect([status, err]).toEqual([0, ""]);
  expect(out).toMatch(/Usage: convkit/);
});

describe("paths are meant from where the user typed", () => {
  const root = new URL("../../..", import.meta.url).pathname;
  test.each([
    ["by the root's script", { npm_lifecycle_event: "convkit", INIT_CWD: "/home/me" }, root, "/home/me"],
    ["in another project's script", { npm_lifecycle_event: "convkit", INIT_CWD: "/home/me" }, "/srv/app", "/srv/app"],
    ["without a script", {}, root, root],
  ])("%s", (_title, env, cwd, want) => expect(userFolder(env, cwd)).toBe(want));
});
