import { AggregatorRegistry, Counter, Gauge, Histogram, type MetricObject, Registry } from "prom-client";

/** Counts and times of a server in Prometheus' text format. */
export interface Metrics {
  onRequest(about: {
    readonly protocol: string;
    readonly model: string;
    readonly status: number;
    readonly ms: number;
  }): void;
  onBatch(model: string, rows: number, waitedMs: number, ms: number): void;
  /** A request came into the model's queue, or left. */
  onInside(model: string, change: 1 | -1): void;
  onReload(isDone: boolean): void;
  text(): Promise<string>;
  /** The same as plain values, which `joinedMetrics` puts together. */
  values(): Promise<unknown>;
  readonly contentType: string;
}

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(): Metrics {
  const register = new Registry();
  const registers = [register];
  const requests = new Counter({
    name: "convkit_requests_total",
    help: "Requests answered, by status.",
    labelNames: ["protocol", "model", "status"],
    registers,
  });
  const latency = new Histogram({
    name: "convkit_request_seconds",
    help: "From the head of a request to its answer.",
    labelNames: ["protocol", "model"],
    buckets: seconds,
    registers,
  });
  const about = { labelNames: ["model"], registers };
  const batches = new Histogram({
    name: "convkit_batch_rows",
    help: "Rows that went through the model at once.",
    buckets: [1, 2, 4, 8, 16, 32, 64, 128],
    ...about,
  });
  const waited = new Histogram({
    name: "convkit_queue_seconds",
    help: "How long the oldest request of a batch waited.",
    buckets: seconds,
    ...about,
  });
  const computed = new Histogram({
    name: "convkit_predict_seconds",
    help: "How long a batch took in the model.",
    buckets: seconds,
    ...about,
  });
  const inside = new Gauge({ name: "convkit_requests_inside", help: "Requests that wait or are computed.", ...about });
  const reloads = new Counter({
    name: "convkit_reloads_total",
    help: "Reloads of the models.",
    labelNames: ["result"],
    registers,
  });
  const resident = new Gauge({
    name: "process_resident_memory_bytes",
    help: "Memory of the server's processes.",
    registers,
  });
  const processes = new Gauge({ name: "convkit_processes", help: "Processes that answer requests.", registers });
  processes.set(1);
  return {
    onRequest({ protocol, model, status, ms }) {
      requests.inc({ protocol, model, status });
      latency.observe({ protocol, model }, ms / 1000);
    },
    onBatch(model, rows, waitedMs, ms) {
      batches.observe({ model }, rows);
      waited.observe({ model }, waitedMs / 1000);
      computed.observe({ model }, ms / 1000);
    },
    onInside: (model, change) => inside.inc({ model }, change),
    onReload: (isDone) => reloads.inc({ result: isDone ? "done" : "failed" }),
    text() {
      resident.set(process.memoryUsage.rss());
      return register.metrics();
    },
    values() {
      resident.set(process.memoryUsage.rss());
      return register.getMetricsAsJSON();
    },
    contentType: register.contentType,
  };
}

/** The metrics of several processes as one text: sums. */
export function metricsText(processes: readonly unknown[]): Promise<string> {
  return AggregatorRegistry.aggregate(processes as MetricObject[][]).metrics();
}

/** The counts of processes that have ended, as those of one: they never fall. What only a running process has is left out. */
export function endedMetrics(processes: readonly unknown[]): Promise<unknown> {
  const counts = (processes as MetricObject[][]).map((each) => each.filter(({ type }) => String(type) !== "gauge"));
  return AggregatorRegistry.aggregate(counts).getMetricsAsJSON();
}
