import type { TraceEvent } from "@convkit/graph";

/** Makes a Chrome trace of a traced run, with named devices and lanes, for `chrome://tracing` and Perfetto. */
export function chromeTrace(events: readonly TraceEvent[]): object {
  const devices = new Map(events.map(({ pid, cat }) => [pid, cat]));
  const lanes = new Map(events.map(({ pid, tid }) => [`${pid}/${tid}`, { pid, tid }]));
  const names = [
    ...[...devices].map(([pid, cat]) => ({ name: "process_name", ph: "M", pid, args: { name: cat } })),
    ...[...lanes.values()].map(({ pid, tid }) => ({
      name: "thread_name",
      ph: "M",
      pid,
      tid,
      args: { name: `lane ${tid + 1}` },
    })),
  ];
  return { displayTimeUnit: "ms", traceEvents: [...names, ...events] };
}
