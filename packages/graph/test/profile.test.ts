import { expect, test } from "vitest";
import { profileOf } from "../src/session/profile.ts";
import { encode } from "../src/native/protos.ts";

const record = (node: string, op: string, start: number, end: number) => ({
  node_name: node,
  timeline_label: `${node} = ${op}(x, y)`,
  all_start_micros: 1000,
  op_start_rel_micros: start,
  op_end_rel_micros: end,
});

test("ops that ran at the same time lie in different lanes of a trace, and their times are summed by kind", () => {
  const node_stats = [
    record("model/b", "Conv2D", 5, 25),
    record("model/a", "Conv2D", 0, 10),
    record("model/d", "Relu", 25, 30),
    record("model/c", "MatMul", 10, 40),
  ];
  const device = "/job:localhost/replica:0/task:0/device:CPU:0";
  const metadata = encode("RunMetadata", { step_stats: { dev_stats: [{ device, node_stats }] } });
  const { result, traceEvents, ops } = profileOf(metadata, 7);
  expect(result).toBe(7);
  expect(traceEvents.map(({ name, ts, dur, tid }) => [name, ts, dur, tid])).toEqual([
    ["Conv2D", 1000, 10, 0],
    ["Conv2D", 1005, 20, 1],
    ["MatMul", 1010, 30, 0],
    ["Relu", 1025, 5, 1],
  ]);
  expect(traceEvents[0]).toMatchObject({ ph: "X", cat: device, pid: 0, args: { node: "model/a" } });
  expect(ops).toEqual([
    { op: "Conv2D", count: 2, ms: 0.03 },
    { op: "MatMul", count: 1, ms: 0.03 },
    { op: "Relu", count: 1, ms: 0.005 },
  ]);
});

test("a run without records has no events", () => {
  expect(profileOf(encode("RunMetadata", {}), 1)).toEqual({ result: 1, traceEvents: [], ops: [] });
});
