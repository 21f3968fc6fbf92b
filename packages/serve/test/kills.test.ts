import { type ChildProcess, fork } from "node:child_process";
import { on, once } from "node:events";
import { setTimeout as after } from "node:timers/promises";
import { expect, test } from "vitest";
import { colorScores, filled } from "./color-model.ts";
import { randomFrom } from "./mutants.ts";

/** `CONVKIT_KILLED_REQUESTS=10000 CONVKIT_SEED=7` looks longer and elsewhere, and also kills both processes at once. */
const count = Number(process.env["CONVKIT_KILLED_REQUESTS"] ?? 60);
const seed = Number(process.env["CONVKIT_SEED"] ?? 1);
const isLong = count >= 1000;
const clients = 6;

interface Look {
  readonly ids: readonly number[];
  readonly megabytes: number;
}

/** The first message of the server that `fits`. */
async function told<T>(server: ChildProcess, fits: (message: T) => boolean): Promise<T> {
  for await (const [message] of on(server, "message", { close: ["exit"] })) if (fits(message as T)) return message as T;
  throw new Error("The server ended.");
}

async function looked(server: ChildProcess): Promise<Look> {
  const answer = told<Look>(server, ({ ids }) => ids !== undefined);
  server.send("look");
  return answer;
}

/** Asks for one color by one of three protocols: the status, and the scores where it is 200. */
async function asked(url: string, color: readonly number[], turn: number): Promise<[number, number[]?]> {
  const [path, body, headers] = (
    [
      ["/v1/models/colors:predict", JSON.stringify({ instances: [filled(color)] }), {}],
      ["/v2/models/colors/infer", JSON.stringify({ inputs: [{ name: "image", shape: [1, 6, 8, 3], datatype: "FP32", data: filled(color) }] }), {}], // prettier-ignore
      ["/v2/models/colors/infer", new Uint8Array(Float32Array.from(filled(color).flat(2)).buffer), { "Inference-Header-Content-Length": "0" }], // prettier-ignore
    ] as const
  )[turn % 3]!;
  const response = await fetch(url + path, { method: "POST", body, headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) return [response.status];
  if (turn % 3 === 2) return [200, [12, 8, 4].map((end) => bytes.readFloatLE(bytes.length - end))];
  const { predictions, outputs } = JSON.parse(bytes.toString()) as any;
  return [200, predictions?.[0] ?? outputs[0].data];
}

test(`${count} requests while processes are killed get their own answers; a killed supervisor leaves no process`, async () => {
  const server = fork(new URL("processes-server.ts", import.meta.url), {
    execArgv: ["--import", "tsx"],
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  server.stdout!.resume();
  let ids: readonly number[] = [];
  try {
    const { url } = await told<{ url: string }>(server, (message) => message.url !== undefined);
    const random = randomFrom(seed);
    const megabytes: number[] = [];
    const wrong: string[] = [];
    let [sent, answers, refused, kills, pairs] = [0, 0, 0, 0, 0];
    const client = async (): Promise<void> => {
      while (sent < count) {
        const turn = sent++;
        const color = [0, 0, 0].map(() => Math.floor(random() * 256));
        for (let isAnswered = false; !isAnswered;) {
          const [status, scores] = await asked(url, color, turn).catch((error: Error) => [String(error.cause ?? error)] as const); // prettier-ignore
          // A request that ended two processes.
          isAnswered = status !== 503;
          if (!isAnswered) refused++;
          else if (!colorScores(color).every((score, i) => Math.abs(score - (scores?.[i] ?? NaN)) < 1e-5))
            wrong.push(`${turn}: ${status} ${scores}`);
        }
        answers++;
      }
    };
    const killer = async (): Promise<void> => {
      for (;;) {
        const next = answers + count / (isLong ? 40 : 4) + random() * (count / 40);
        const isOver = (): boolean => sent >= count || (!isLong && kills > 0);
        const isEarly = (): boolean => answers < next && !isOver();
        while (isEarly()) await after(2);
        if (isOver()) return;
        const look = await looked(server);
        megabytes.push(look.megabytes);
        const isPair = isLong && random() < 0.2;
        if (isPair) pairs++;
        const first = Math.floor(random() * look.ids.length);
        for (const id of isPair ? look.ids : look.ids.slice(first, first + 1)) {
          process.kill(id, "SIGKILL");
          kills++;
        }
      }
    };
    await Promise.all([killer(), ...Array.from({ length: clients }, client)]);
    if (isLong)
      process.stderr.write(
        `${answers} answers, ${kills} kills, ${pairs} of both, ${refused} refused, MB ${megabytes.map(Math.round).join(" ")}\n`,
      );
    expect(wrong).toEqual([]);
    expect(answers).toBe(count);
    expect(kills).toBeGreaterThan(0);
    // Each client has one request at a time.
    expect(refused).toBeLessThanOrEqual(clients * pairs);
    const third = Math.floor(megabytes.length / 3);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    if (isLong) expect(mean(megabytes.slice(-third)) / mean(megabytes.slice(third, -third))).toBeLessThan(1.2);

    // One process answers, the other one begins.
    while (({ ids } = await looked(server)).ids.length < 2) await after(20);
    process.kill(ids[0]!, "SIGKILL");
    while (({ ids } = await looked(server)).ids.length < 2 || ids.some((id) => !isRunning(id))) await after(20);
    await after(random() * 1500);
    server.kill("SIGKILL");
    // The processes have its standard output, which closes when the last of them has ended.
    await once(server, "close", { signal: AbortSignal.timeout(600_000) });
    await expect(fetch(`${url}/v2`)).rejects.toThrow("fetch failed");
  } finally {
    server.kill("SIGKILL");
    for (const id of ids) if (isRunning(id)) process.kill(id, "SIGKILL");
  }
});

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
}
