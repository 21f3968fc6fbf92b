/** An op of a traced run; times in microseconds, as in a Chrome trace. */
export interface TracedOp {
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
}

/** Where the time of one traced run went. */
export interface ProfileSummary {
  /** From the first op's start to the last one's end. */
  readonly wallMs: number;
  /** Share of that time in which no thread ran an op. */
  readonly idle: number;
  /** Op kinds, the longest first. `share` is the part of all op time, over all threads. */
  readonly ops: readonly { readonly op: string; readonly count: number; readonly ms: number; readonly share: number }[];
}

/** The number of op kinds to keep. */
const kept = 8;

/** Sums up the ops of a traced run; undefined without ops. */
export function summarize(events: readonly TracedOp[]): ProfileSummary | undefined {
  if (events.length === 0) return undefined;
  const sorted = events.toSorted((a, b) => a.ts - b.ts);
  const begin = sorted[0]!.ts;
  let end = begin;
  let idle = 0;
  const byOp = new Map<string, { count: number; us: number }>();
  for (const { name, ts, dur } of sorted) {
    idle += Math.max(0, ts - end);
    end = Math.max(end, ts + dur);
    const { count, us } = byOp.get(name) ?? { count: 0, us: 0 };
    byOp.set(name, { count: count + 1, us: us + dur });
  }
  const total = sorted.reduce((sum, { dur }) => sum + dur, 0);
  const ops = [...byOp]
    .toSorted(([, a], [, b]) => b.us - a.us)
    .slice(0, kept)
    .map(([op, { count, us }]) => ({ op, count, ms: us / 1000, share: rounded(us / Math.max(total, 1)) }));
  return { wallMs: (end - begin) / 1000, idle: rounded(idle / Math.max(end - begin, 1)), ops };
}

function rounded(share: number): number {
  return Math.round(share * 1e4) / 1e4;
}

/** A summary in a line: "Conv2D 61 %, MaxPool 12 %; no op ran in 20 % of the time". */
export function formatProfile({ ops, idle }: ProfileSummary, most = 3): string {
  const parts = ops.slice(0, most).map(({ op, share }) => `${withoutPrefix(op)} ${percent(share)}`);
  return [parts.join(", "), ...(idle >= 0.005 ? [`no op ran in ${percent(idle)} of the time`] : [])].join("; ");
}

/** Mean shares of several summaries. */
export function meanProfile(summaries: readonly ProfileSummary[]): ProfileSummary {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / summaries.length;
  const names = new Set(summaries.flatMap(({ ops }) => ops.map(({ op }) => op)));
  const ops = [...names].map((op) => {
    const mine = summaries.flatMap((summary) => summary.ops.filter((each) => each.op === op));
    return {
      op,
      count: mean(mine.map(({ count }) => count)),
      ms: mean(mine.map(({ ms }) => ms)),
      share: mean(mine.map(({ share }) => share)),
    };
  });
  return {
    wallMs: mean(summaries.map(({ wallMs }) => wallMs)),
    idle: mean(summaries.map(({ idle }) => idle)),
    ops: ops.toSorted((a, b) => b.share - a.share),
  };
}

/** Removes the prefix of ops that Grappler or oneDNN inserted. */
function withoutPrefix(op: string): string {
  return op.replace(/^_(Mkl(Native)?)?/, "");
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
