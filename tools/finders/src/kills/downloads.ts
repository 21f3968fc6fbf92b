import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Draw } from "../draw.ts";

const program = fileURLToPath(new URL("../../../../packages/files/test/programs/fetch-file.ts", import.meta.url));
const content = Buffer.from(Array.from({ length: 2 << 20 }, (_, i) => (i * 31) % 251));
const sha256 = createHash("sha256").update(content).digest("hex");

/** Kills a download so many times, and lets it end. Returns what went wrong. */
export async function killedDownload(folder: string, kills: number, draw: Draw): Promise<string[]> {
  const server = createServer(async (request, response) => {
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const range = from === 0 ? {} : { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` };
    response.writeHead(from === 0 ? 200 : 206, {
      etag: '"one"',
      "accept-ranges": "bytes",
      "content-length": content.length - from,
      ...range,
    });
    // Slow enough to be killed in the middle.
    for (let at = from; at < content.length && !response.destroyed; at += 64 << 10) {
      response.write(content.subarray(at, at + (64 << 10)));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    response.end();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`;
  const file = join(folder, "cache", "file.bin");
  const problems: string[] = [];
  for (let kill = 0; kill <= kills; kill++) {
    const asked = new Promise((resolve) => void server.once("request", resolve));
    const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), program, url, file, sha256]);
    let said = "";
    child.stdout.on("data", (text) => (said += String(text)));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    if (kill < kills) {
      await Promise.race([asked, ended]);
      setTimeout(() => child.kill("SIGKILL"), draw.unit() * 60);
    }
    await ended;
    if (kill < kills && existsSync(file)) problems.push("a killed download left a file under its final name");
    if (kill === kills && said !== "done") problems.push(`the last download said ${said}`);
  }
  if (!existsSync(file) || !readFileSync(file).equals(content)) problems.push("the file has other bytes");
  server.close();
  return problems;
}
