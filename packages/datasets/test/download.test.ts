import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { download } from "../src/storage/download.ts";
import { put, temporaryFolder } from "./temporary.ts";

const content = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 31) % 251));
const sha256 = createHash("sha256").update(content).digest("hex");

interface Behavior {
  /** Ends the first answer after so many bytes, as soon as some of them are in this file. */
  breakAfter?: { bytes: number; in: string };
  tag?: string;
}

/** A server of `content` that can break off and, if it gives a tag, resume; keeps the ranges it was asked for. */
async function serve({ breakAfter, tag = '"v1"' }: Behavior = {}): Promise<{
  url: string;
  ranges: (string | undefined)[];
}> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (request.url === "/none") return response.writeHead(404).end();
    ranges.push(request.headers.range);
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const headers = { etag: tag, "content-length": content.length - start };
    response.writeHead(start > 0 ? 206 : 200, headers);
    if (breakAfter === undefined || ranges.length > 1) return response.end(content.subarray(start));
    response.write(content.subarray(0, breakAfter.bytes));
    const timer = setInterval(() => {
      if ((statSync(breakAfter.in, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
      clearInterval(timer);
      response.destroy();
    }, 5);
    return response;
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ranges };
}

describe("download", () => {
  it("brings a file once, with progress to the end", async () => {
    const { url, ranges } = await serve();
    const file = join(temporaryFolder(), "a", "x.bin");
    const progress: number[] = [];
    await download(`${url}/x.bin`, file, { sha256, onProgress: ({ bytes }) => progress.push(bytes) });
    await download(`${url}/x.bin`, file, { sha256 });
    expect(readFileSync(file).equals(content)).toBe(true);
    expect([progress.at(-1), ranges]).toEqual([content.length, [undefined]]);
  });

  it("takes up an interrupted download where it ended", async () => {
    const file = join(temporaryFolder(), "x.bin");
    const { url, ranges } = await serve({ breakAfter: { bytes: 70_000, in: `${file}.part` } });
    await expect(download(`${url}/x.bin`, file, { sha256 })).rejects.toThrow(
      new RegExp(`^${url}/x.bin cannot be fetched \\(.+\\); get the file by other means and put it at ${file}$`),
    );
    expect(existsSync(file)).toBe(false);
    const have = statSync(`${file}.part`).size;
    await download(`${url}/x.bin`, file, { sha256 });
    expect(readFileSync(file).equals(content)).toBe(true);
    expect(ranges).toEqual([undefined, `bytes=${have}-`]);
    expect([existsSync(`${file}.part`), existsSync(`${file}.part.source`), existsSync(`${file}.lock`)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("starts anew where the server promises nothing about its bytes", async () => {
    const file = join(temporaryFolder(), "x.bin");
    const { url, ranges } = await serve({ breakAfter: { bytes: 70_000, in: `${file}.part` }, tag: 'W/"weak"' });
    await expect(download(`${url}/x.bin`, file)).rejects.toThrow("cannot be fetched");
    await download(`${url}/x.bin`, file, { sha256 });
    expect(ranges).toEqual([undefined, undefined]);
  });

  it("keeps nothing of a file with another sha256", async () => {
    const { url } = await serve();
    const file = join(temporaryFolder(), "x.bin");
    await expect(download(`${url}/x.bin`, file, { sha256: "0".repeat(64) })).rejects.toThrow(
      `${url}/x.bin is not the file that was expected: expected sha256 ${"0".repeat(64)}, got ${sha256}; nothing was kept`,
    );
    expect([existsSync(file), existsSync(`${file}.part`)]).toEqual([false, false]);
  });

  it("is done once where two ask at the same time", async () => {
    const { url, ranges } = await serve();
    const file = join(temporaryFolder(), "x.bin");
    await Promise.all([download(`${url}/x.bin`, file, { sha256 }), download(`${url}/x.bin`, file, { sha256 })]);
    expect(ranges).toHaveLength(1);
  });

  it("tells the status of an address that is not there, and a server that is not", async () => {
    const { url } = await serve();
    const file = join(temporaryFolder(), "x.bin");
    await expect(download(`${url}/none`, file)).rejects.toThrow(`${url}/none cannot be fetched (status 404 Not Found)`);
    await expect(download("http://127.0.0.1:1/x", file)).rejects.toThrow(
      /cannot be fetched \(.+\); get the file by other means/,
    );
  });

  it("tells a cache that cannot be written", async () => {
    const blocked = put(temporaryFolder(), "file", "");
    await expect(download("http://127.0.0.1:1/x", join(blocked, "sub", "x"))).rejects.toThrow(
      /^.+\/sub\/x cannot be written \(ENOTDIR\): .+; or set CONVKIT_CACHE to a folder that can be written$/,
    );
  });
});
