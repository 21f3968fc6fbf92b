import { expect, it } from "vitest";
import { chromeTrace } from "../src/profile/chrome-trace.ts";

it("a trace names its devices and lanes", () => {
  const event = (name: string, tid: number) =>
    ({ name, cat: "/device:CPU:0", ph: "X", ts: 1, dur: 2, pid: 0, tid, args: { node: name } }) as const;
  const events = [event("Conv2D", 0), event("MatMul", 1), event("Relu", 0)];
  expect(chromeTrace(events)).toEqual({
    displayTimeUnit: "ms",
    traceEvents: [
      { name: "process_name", ph: "M", pid: 0, args: { name: "/device:CPU:0" } },
      { name: "thread_name", ph: "M", pid: 0, tid: 0, args: { name: "lane 1" } },
      { name: "thread_name", ph: "M", pid: 0, tid: 1, args: { name: "lane 2" } },
      ...events,
    ],
  });
});
