import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { saveModel } from "@convkit/weights";
import sharp from "sharp";
import { expect, test } from "vitest";
import { colorModel, colorScores, filled } from "./color-model.ts";

/** `CONVKIT_SOAK_MINUTES=60 CONVKIT_SOAK_RUNTIME=openvino` looks longer; a line a minute says how it goes. */
const minutes = Number(process.env["CONVKIT_SOAK_MINUTES"] ?? 0.05);
const runtime = process.env["CONVKIT_SOAK_RUNTIME"];
const isLong = minutes >= 1;

/** Megabytes an hour by least squares. */
function slope(samples: readonly { readonly hours: number; readonly megabytes: number }[]): number {
  const mean = (of: (sample: (typeof samples)[number]) => number) => samples.reduce((sum, s) => sum + of(s), 0) / samples.length; // prettier-ignore
  const [x, y] = [mean((s) => s.hours), mean((s) => s.megabytes)];
  return mean((s) => (s.hours - x) * (s.megabytes - y)) / mean((s) => (s.hours - x) ** 2);
}

test(
  "a server under load and reloads answers every request rightly, and its memory stays",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "convkit-soak-"));
    const file = join(folder, "colors.keras");
    await useEngine(engines[0] ?? "wasm");
    await saveModel(colorModel(), file);
    const server = fork(new URL("soak-server.ts", import.meta.url), [file, ...(runtime ? [runtime] : [])], {
      execArgv: ["--import", "tsx"],
    });
    const [url] = (await once(server, "message")) as [string];
    const color = [200, 40, 10];
    const expected = colorScores(color)[0]!;
    const json = JSON.stringify({ instances: [filled(color)] });
    const large = JSON.stringify({ instances: Array.from({ length: 200 }, () => filled(color)) });
    const pixels = new Uint8Array(Float32Array.from(filled(color).flat(2)).buffer);
    const [red, green, blue] = color as [number, number, number];
    const png = new Uint8Array(
      await sharp({ create: { width: 64, height: 48, channels: 3, background: { r: red, g: green, b: blue } } })
        .png()
        .toBuffer(),
    );
    type Case = readonly [path: string, body: BodyInit, headers: Record<string, string>, (bytes: Buffer) => number];
    const first = (bytes: Buffer): number => (JSON.parse(bytes.toString()) as any).predictions[0][0];
    const cases: readonly Case[] = [
      ["/v1/models/colors:predict", json, {}, first],
      ["/v1/models/colors:predict", large, {}, first],
      ["/v2/models/colors/infer", pixels, { "Inference-Header-Content-Length": "0" }, (bytes) => bytes.readFloatLE(bytes.length - 12)], // prettier-ignore
      ["/classify/colors?top=1", png, {}, (bytes) => (JSON.parse(bytes.toString()) as any).predictions[0].probability],
    ];
    const end = performance.now() + minutes * 60_000;
    const wrong: string[] = [];
    let answers = 0;
    let reloads = 0;
    // On a busy machine the short run goes on until it has seen what it looks for.
    const goesOn = (pause = 0): boolean =>
      performance.now() + pause < end || (!isLong && (reloads === 0 || answers <= cases.length));
    const client = async (place: number): Promise<void> => {
      for (let turn = place; goesOn(); turn++) {
        const [path, body, headers, read] = cases[turn % cases.length]!;
        try {
          const response = await fetch(url + path, { method: "POST", body, headers });
          const bytes = Buffer.from(await response.arrayBuffer());
          if (response.status !== 200) wrong.push(`${path}: ${response.status} ${bytes.toString().slice(0, 200)}`);
          else if (!(Math.abs(read(bytes) - expected) < 1e-5)) wrong.push(`${path}: ${read(bytes)}`);
          answers++;
        } catch (error) {
          wrong.push(`${path}: ${String((error as Error).cause ?? error)}`);
        }
      }
    };
    const samples: { readonly hours: number; readonly megabytes: number }[] = [];
    const watch = async (): Promise<void> => {
      const start = performance.now();
      const pause = Math.min(15_000, (minutes * 60_000) / 6);
      for (let turn = 1; goesOn(pause); turn++) {
        await after(pause);
        const text = await (await fetch(`${url}/metrics`)).text();
        const megabytes = Number(/process_resident_memory_bytes (\d+)/.exec(text)![1]) / 1e6;
        samples.push({ hours: (performance.now() - start) / 3_600_000, megabytes });
        if (isLong && turn % 4 === 0)
          process.stderr.write(
            `${turn / 4} min: ${answers} answers, ${wrong.length} wrong, ${megabytes.toFixed(0)} MB\n`,
          );
        if (turn % 4 !== 2) continue;
        // The same file with a new time: another model for the server.
        utimesSync(file, new Date(), new Date());
        server.kill("SIGHUP");
        await once(server, "message");
        reloads++;
      }
    };
    await Promise.all([watch(), ...Array.from({ length: 8 }, (_, place) => client(place))]);
    server.kill("SIGTERM");
    const [status] = (await once(server, "exit")) as [number];
    rmSync(folder, { recursive: true });
    const rest = samples.slice(Math.floor(samples.length / 2));
    if (isLong)
      process.stderr.write(
        `${answers} answers, ${reloads} reloads, ${slope(rest).toFixed(1)} MB an hour in the second half\n`,
      );
    expect(wrong).toEqual([]);
    expect(status).toBe(0);
    expect(answers).toBeGreaterThan(cases.length);
    expect(reloads).toBeGreaterThanOrEqual(1);
    if (isLong) expect(slope(rest)).toBeLessThan(60);
  },
  minutes * 60_000 + 1_800_000,
);
