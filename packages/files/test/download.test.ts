import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { download, type DownloadProgress } from "../src/index.ts";
import { bundleProgram, startProgram } from "./program.ts";
import { canMount, smallDisk } from "./small-disk.ts";
import { temporaryFolder } from "./temporary.ts";

const content = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31) % 251));
const hex = (kind: string) => createHash(kind).update(content).digest("hex");
const sha256 = hex("sha256");
const hash = { sha256 };

interface Behavior {
  /** Bytes of the first answer, after which the connection breaks. */
  readonly breakAfter?: number;
  /** When it breaks: at once by default. */
  readonly breakWhen?: () => boolean;
  readonly etag?: string;
  /** Milliseconds between pieces of 20,000 bytes. */
  readonly pause?: number;
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => unknown;
}

/** A server of `content`; `ranges` are the ranges that it was asked for. */
async function serve({ breakAfter, breakWhen, etag = '"v1"', pause = 0, answer }: Behavior = {}): Promise<{
  url: string;
  ranges: (string | undefined)[];
}> {
  const ranges: (string | undefined)[] = [];
  const server = createServer(async (request, response) => {
    ranges.push(request.headers.range);
    if (answer !== undefined) return void answer(request, response);
    const isSame = request.headers["if-range"] === etag;
    const start = isSame ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
    response.writeHead(start > 0 ? 206 : 200, { etag, "content-length": content.length - start });
    const end = ranges.length === 1 ? (breakAfter ?? content.length) : content.length;
    for (let at = start; at < end; at += 20_000) {
      response.write(content.subarray(at, Math.min(at + 20_000, end)));
      if (pause > 0) await sleep(pause);
    }
    if (end === content.length) return void response.end();
    const breakNow = async (): Promise<void> => {
      if (breakWhen?.() !== false) return void response.destroy();
      await sleep(10);
      return breakNow();
    };
    await breakNow();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.bin`, ranges };
}

const target = () => join(temporaryFolder(), "x.bin");
const isWhole = (file: string) => readFileSync(file).equals(content);
const namesBeside = (file: string) => readdirSync(join(file, ".."));

describe("download", () => {
  test("brings a file once, with progress to the end, and leaves nothing beside it", async () => {
    const { url, ranges } = await serve();
    const file = join(temporaryFolder(), "made", "x.bin");
    const progress: DownloadProgress[] = [];
    await download(url, file, { hash, onProgress: (each) => progress.push(each) });
    await download(url, file, { hash });
    expect(isWhole(file)).toBe(true);
    expect(progress.at(-1)).toEqual({ file: "x.bin", bytes: content.length, total: content.length });
    expect([ranges, namesBeside(file)]).toEqual([[undefined], ["x.bin"]]);
  });

  test.each([
    ["sha256", { sha256 }],
    ["sha256 in capitals", { sha256: sha256.toUpperCase() }],
    ["md5", { md5: hex("md5") }],
    ["the first digits of a sha256", { sha256Begins: sha256.slice(0, 8) }],
  ])("checks %s", async (_, known) => {
    const { url } = await serve();
    await download(url, target(), { hash: known });
    const other = Object.fromEntries(Object.entries(known).map(([kind, text]) => [kind, text.replaceAll(/./g, "0")]));
    const file = target();
    await expect(download(url, file, { hash: other as typeof hash })).rejects.toThrow(
      /is not the file that was expected: expected (sha256|md5) 0+…?, got [\da-f]+; nothing was kept\.$/,
    );
    expect(namesBeside(file)).toEqual([]);
  });

  test("continues an interrupted download", async () => {
    const file = target();
    const bytesHere = () => statSync(`${file}.part`, { throwIfNoEntry: false })?.size ?? 0;
    const { url, ranges } = await serve({ breakAfter: 120_000, breakWhen: () => bytesHere() > 0 });
    await expect(download(url, file, { hash })).rejects.toMatchObject({
      code: "CONVKIT_DOWNLOAD",
      url,
      path: file,
      message: expect.stringMatching(
        new RegExp(`^${url} cannot be fetched \\(.+\\); get the file by other means and put it at ${file}\\.$`),
      ) as unknown,
    });
    expect(existsSync(file)).toBe(false);
    const have = bytesHere();
    await download(url, file, { hash });
    expect(isWhole(file)).toBe(true);
    expect([ranges, namesBeside(file)]).toEqual([[undefined, `bytes=${have}-`], ["x.bin"]]);
  });

  test.each<[string, Behavior, (file: string) => void]>([
    ["the server promises nothing about its bytes", { etag: 'W/"weak"' }, () => undefined],
    ["what is there is of another URL", {}, (file) => writeSource(file, { url: "http://other", etag: '"v1"' })],
    ["what is there is of another version", {}, (file) => writeSource(file, { etag: '"v0"' })],
    ["nothing tells what is there", {}, (file) => writeFileSync(`${file}.part.source`, "{")],
    [
      "the range does not exist",
      {
        answer: (request, response) =>
          request.headers.range === undefined ? response.end(content) : response.writeHead(416).end(),
      },
      (file) => writeSource(file, { etag: '"v1"' }),
    ],
    [
      "another range comes than was asked for",
      {
        answer: (request, response) =>
          request.headers.range === undefined
            ? response.end(content)
            : response.writeHead(206, { "content-range": `bytes 0-9/${content.length}` }).end("0123456789"),
      },
      (file) => writeSource(file, { etag: '"v1"' }),
    ],
  ])("starts from the beginning where %s", async (_, behavior, prepare) => {
    const { url } = await serve(behavior);
    const file = target();
    writeFileSync(`${file}.part`, "damaged");
    writeFileSync(join(file, "..", "url"), url);
    prepare(file);
    await download(url, file, { hash });
    expect(isWhole(file)).toBe(true);
  });

  /** What an interrupted call wrote beside its part. */
  function writeSource(file: string, source: { url?: string; etag: string }): void {
    const url = readFileSync(join(file, "..", "url"), "utf8");
    writeFileSync(`${file}.part.source`, JSON.stringify({ url, ...source }));
  }

  test("takes a compressed answer for what it unpacks to", async () => {
    const packed = gzipSync(content);
    const headers = { "content-encoding": "gzip", "content-length": packed.length };
    const { url } = await serve({ answer: (_, response) => response.writeHead(200, headers).end(packed) });
    const file = target();
    await download(url, file, { hash });
    expect(isWhole(file)).toBe(true);
  });

  test("keeps nothing under the final name of an answer that is too short", async () => {
    const headers = { "content-length": content.length };
    const { url } = await serve({
      answer: (_, response) =>
        response.writeHead(200, headers).end(content.subarray(0, 1000), () => response.destroy()),
    });
    const file = target();
    await expect(download(url, file)).rejects.toThrow("cannot be fetched");
    expect(existsSync(file)).toBe(false);
  });

  test("tells the status of an address that is not there, and a server that is not", async () => {
    const { url } = await serve({ answer: (_, response) => response.writeHead(404).end() });
    const file = target();
    await expect(download(url, file)).rejects.toThrow(`${url} cannot be fetched (status 404 Not Found)`);
    const closed = createServer();
    await new Promise<void>((listening) => closed.listen(0, "127.0.0.1", listening));
    const { port } = closed.address() as AddressInfo;
    await new Promise((ended) => closed.close(ended));
    await expect(download(`http://127.0.0.1:${port}/x`, file)).rejects.toThrow(/fetched \(.*ECONNREFUSED.*\); get the/);
  });

  test("ends with the signal's reason, and is continued", async () => {
    const { url, ranges } = await serve({ pause: 20 });
    const file = target();
    const stop = new AbortController();
    const onProgress = ({ bytes }: DownloadProgress) => bytes > 50_000 && stop.abort(new Error("enough"));
    await expect(download(url, file, { hash, signal: stop.signal, onProgress })).rejects.toThrow("enough");
    const have = statSync(`${file}.part`).size;
    expect(have).toBeGreaterThan(50_000);
    await download(url, file, { hash });
    expect(isWhole(file)).toBe(true);
    expect(ranges[1]).toBe(`bytes=${have}-`);
  });

  test("refuses an option that it does not know", async () => {
    await expect(download("http://127.0.0.1:1/x", target(), { sha256 } as object)).rejects.toThrow(
      'download: expected the options hash, signal, onProgress, fetch, got "sha256".',
    );
  });

  test.skipIf(!canMount)("names a disk that is full, and one that is read-only", async () => {
    const { url } = await serve();
    const disk = smallDisk(64 << 10);
    const file = join(disk.folder, "x.bin");
    await expect(download(url, file)).rejects.toThrow(`${file} cannot be written (ENOSPC): the disk is full`);
    expect(existsSync(file)).toBe(false);
    disk.makeReadOnly();
    await expect(download(url, file)).rejects.toThrow(`${file} cannot be written (EROFS): the disk is read-only`);
  });
});

describe("many processes", () => {
  let fetchFile = "";
  beforeAll(async () => void (fetchFile = await bundleProgram("fetch-file")));

  test("that want one file get it by one download", async () => {
    const { url, ranges } = await serve({ pause: 20 });
    const file = target();
    const processes = Array.from({ length: 48 }, () => startProgram(fetchFile, [url, file, sha256]).ended);
    const outputs = (await Promise.all(processes)).map(({ output }) => output);
    expect(outputs.filter((output) => output !== "done")).toEqual([]);
    expect(isWhole(file)).toBe(true);
    expect([ranges, namesBeside(file)]).toEqual([[undefined], ["x.bin"]]);
  });

  test("of which one is killed while it downloads: the others continue", async () => {
    let isKilled = false;
    // The first answer stops in its middle until its process is killed, however slow this machine is.
    const { url, ranges } = await serve({ breakAfter: 100_000, breakWhen: () => isKilled });
    const file = target();
    const first = startProgram(fetchFile, [url, file, sha256]);
    while ((statSync(`${file}.part`, { throwIfNoEntry: false })?.size ?? 0) < 60_000) await sleep(5);
    const others = Array.from({ length: 6 }, () => startProgram(fetchFile, [url, file, sha256]).ended);
    first.child.kill("SIGKILL");
    isKilled = true;
    expect((await first.ended).signal).toBe("SIGKILL");
    expect((await Promise.all(others)).map(({ output }) => output)).toEqual(Array.from({ length: 6 }, () => "done"));
    expect(isWhole(file)).toBe(true);
    expect(ranges).toHaveLength(2);
    expect(Number(/\d+/.exec(ranges[1] ?? "")?.[0])).toBeGreaterThanOrEqual(60_000);
    expect(namesBeside(file)).toEqual(["x.bin"]);
  });
});
