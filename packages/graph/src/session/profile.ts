import { decode } from "../native/protos.ts";

/** One complete event of a Chrome trace; times in microseconds. */
export interface TraceEvent {
  name: string;
  cat: string;
  ph: "X";
  ts: number;
  dur: number;
  pid: number;
  /** The lane: ops that ran at the same time have different lanes. */
  tid: number;
  args: { node: string };
}

/** A traced run: every op with its time, for `chrome://tracing` and Perfetto. */
export interface Profile<R> {
  result: R;
  /** Write `JSON.stringify({ traceEvents })` to a file to view it. */
  traceEvents: TraceEvent[];
  /** Milliseconds and counts by op, the longest first. */
  ops: { op: string; count: number; ms: number }[];
}

interface StepStats {
  dev_stats: {
    device: string;
    node_stats: {
      node_name: string;
      all_start_micros: number;
      op_start_rel_micros: number;
      op_end_rel_micros: number;
      timeline_label: string;
    }[];
  }[];
}

/** Reads TensorFlow's RunMetadata of a traced run. */
export function profileOf<R>(metadata: Uint8Array, result: R): Profile<R> {
  const { step_stats: stats } = decode("RunMetadata", metadata) as { step_stats: StepStats | null };
  const traceEvents = (stats?.dev_stats ?? []).flatMap(({ device, node_stats: nodes }, pid) =>
    inLanes(
      nodes.map((node): TraceEvent => {
        const op = / = (\w+)\(/.exec(node.timeline_label)?.[1] ?? node.node_name.replace(/.*\//, "");
        return {
          name: op,
          cat: device,
          ph: "X",
          ts: node.all_start_micros + node.op_start_rel_micros,
          dur: node.op_end_rel_micros - node.op_start_rel_micros,
          pid,
          tid: 0,
          args: { node: node.node_name },
        };
      }),
    ),
  );
  const byOp = new Map<string, { op: string; count: number; ms: number }>();
  for (const { name, dur } of traceEvents) {
    const entry = byOp.get(name) ?? { op: name, count: 0, ms: 0 };
    byOp.set(name, { op: name, count: entry.count + 1, ms: entry.ms + dur / 1000 });
  }
  return { result, traceEvents, ops: [...byOp.values()].toSorted((a, b) => b.ms - a.ms) };
}

/** TensorFlow does not say on which thread an op ran, so each goes to the first lane that is free when it starts. */
function inLanes(events: TraceEvent[]): TraceEvent[] {
  const ends: number[] = [];
  return events
    .toSorted((a, b) => a.ts - b.ts)
    .map((event) => {
      const free = ends.findIndex((end) => end <= event.ts);
      const tid = free < 0 ? ends.length : free;
      ends[tid] = event.ts + event.dur;
      return { ...event, tid };
    });
}
