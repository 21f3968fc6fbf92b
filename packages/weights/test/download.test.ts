import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fetchWeights, imagenetWeights, WeightsError } from "../src/index.ts";

const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
const md5 = createHash("md5").update(content).digest("hex");
const sha256 = createHash("sha256").update(content).digest("hex");

describe("weights are fetched", () => {
  let cache = "";
  let base = "";
  const ranges: (string | undefined)[] = [];
  let cutAfter: number | undefined;
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (request.url === "/missing.h5") return void response.writeHead(404).end();
    response.writeHead(start > 0 ? 206 : 200, { etag: '"one"', "content-length": content.byteLength - start });
    const end = cutAfter ?? content.byteLength;
    response.write(content.subarray(start, end), () =>
      cutAfter === undefined ? response.end() : setTimeout(() => response.destroy(), 100),
    );
  });
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), "convkit-download-"));
    ranges.length = 0;
    cutAfter = undefined;
    return () => rmSync(cache, { recursive: true });
  });

  it.each([
    ["its sha256", { sha256 }],
    ["its md5", { md5 }],
    ["the first digits of its sha256", { sha256Begins: sha256.slice(0, 8) }],
    ["no hash", undefined],
  ])("once, and checked by %s", async (_, hash) => {
    for (let time = 0; time < 2; time++) {
      const file = await fetchWeights({ url: `${base}/w.h5`, hash }, { cache });
      expect(readFileSync(file).equals(content)).toBe(true);
    }
    expect(ranges).toEqual([undefined]);
  });

  it("on from where it was cut off", async () => {
    cutAfter = 100_000;
    await expect(fetchWeights({ url: `${base}/w.h5`, hash: { md5 } }, { cache })).rejects.toThrow(WeightsError);
    cutAfter = undefined;
    const file = await fetchWeights({ url: `${base}/w.h5`, hash: { md5 } }, { cache });
    expect(readFileSync(file).equals(content)).toBe(true);
    expect(ranges[1]).toMatch(/^bytes=\d+-$/);
  });

  it("or the error says which file to put where, and then it is taken", async () => {
    const entry = { url: `${base}/missing.h5`, hash: { md5 } };
    await expect(fetchWeights(entry, { cache })).rejects.toThrow(
      /missing\.h5: .*status 404.* put it at .*missing\.h5$/,
    );
    writeFileSync(join(cache, "missing.h5"), content);
    await expect(fetchWeights(entry, { cache })).resolves.toBe(join(cache, "missing.h5"));
    writeFileSync(join(cache, "missing.h5"), "other");
    await expect(fetchWeights(entry, { cache })).rejects.toThrow(/expected the file of .*: expected md5 /);
  });

  it.each([
    [{ sha256Begins: "00000000" }, /expected sha256 00000000…, got /],
    [{ sha256: "0".repeat(64) }, /expected sha256 0{64}, got /],
    [{ md5: "0".repeat(32) }, /expected md5 0{32}, got /],
  ] as const)("never kept where the hash differs: %j", async (hash, message) => {
    const entry = { url: `${base}/w.h5`, hash };
    await expect(fetchWeights(entry, { cache })).rejects.toThrow(message);
    await expect(fetchWeights(entry, { cache })).rejects.toThrow(message);
    expect(ranges).toEqual([undefined, undefined]);
  });
});

describe("the table of published weights", () => {
  it.each(imagenetWeights)("$model, top $top: $url", ({ url, hash }) => {
    expect(new URL(url).protocol).toBe("https:");
    const lengths = { sha256: 64, md5: 32, sha256Begins: 8 };
    for (const [kind, digits] of Object.entries(hash ?? {}))
      expect(digits).toMatch(new RegExp(`^[0-9a-f]{${lengths[kind as keyof typeof lengths]}}$`));
  });

  it.each(imagenetWeights.filter(({ url }) => url.endsWith(".pth")))(
    "$model: the sha256 begins as the file's name ends",
    ({ url, hash }) => {
      const [digits] = Object.values(hash!) as [string];
      // Eight digits in most names, ten in some.
      const told = /-([0-9a-f]{8,})\.pth$/.exec(url)![1]!;
      const length = Math.min(told.length, digits.length);
      expect(length).toBeGreaterThanOrEqual(8);
      expect(digits.slice(0, length)).toBe(told.slice(0, length));
    },
  );

  it("names every file once", () => {
    expect(new Set(imagenetWeights.map(({ url }) => url)).size).toBe(imagenetWeights.length);
  });
});
