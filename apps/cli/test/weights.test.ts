import { listWeights } from "@convkit/weights";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-weights-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

interface Listed {
  readonly format: string;
  readonly total: number;
  readonly weights: readonly { name: string; shape: number[]; dtype: string; sum: number; crc32: string }[];
}

beforeAll(async () => {
  const { status, err } = await call("convert", "lenet5", at("net.safetensors"), "--seed", "3");
  expect(status, err).toBe(0);
});

describe("weights", () => {
  test("lists name, shape, type, sum and checksum, as the bytes of the file have them", async () => {
    const listed = JSON.parse((await call("weights", at("net.safetensors"), "--json")).out) as Listed;
    expect([listed.format, listed.total]).toEqual(["safetensors", 61_706]);
    const bytes = readFileSync(at("net.safetensors"));
    const start = 8 + Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<string, { data_offsets: [number, number] }>;
    for (const { name, sum, crc32: checksum } of listed.weights) {
      const [from, to] = header[name]!.data_offsets;
      const own = bytes.subarray(start + from, start + to);
      let expected = 0;
      for (let i = 0; i < own.byteLength; i += 4) expected += own.readFloatLE(i);
      expect(sum).toBeCloseTo(expected, 9);
      expect(checksum).toBe(crc32(own).toString(16).padStart(8, "0"));
    }
    const text = (await call("weights", at("net.safetensors"))).out;
    expect(text).toMatch(/^conv1\.weight +float32 +6x1x5x5 +-?[\d.]+ +[0-9a-f]{8}$/m);
    expect(text).toContain("10 tensors, 61,706 numbers");
  });

  test("what is no file of weights is refused", async () => {
    expect(await call("weights", at("none.pth"))).toMatchObject({
      status: 2,
      err: expect.stringContaining("none.pth holds no weights"),
    });
  });
});

describe("convert without a network", () => {
  test.each([
    [["--quantize", "uint8"], "--quantize is for --to tfjs"],
    [["--classes", "5"], "--classes is for networks of the zoo"],
  ])("refuses %s, which it would not heed", async (options, sentence) => {
    const { status, err } = await call("convert", at("net.safetensors"), at("refused.npz"), ...options);
    expect([status, existsSync(at("refused.npz"))]).toEqual([2, false]);
    expect(err).toContain(sentence);
  });

  test("goes from container to container, bit for bit", async () => {
    const original = (await listWeights(at("net.safetensors"))).weights;
    let from = at("net.safetensors");
    for (const name of ["net.pth", "net.npz", "net.h5", "again.safetensors"]) {
      const { status, err } = await call("convert", from, at(name), "--verify");
      expect(status, err).toBe(0);
      const { weights } = await listWeights(at(name));
      expect(new Map(weights.map((weight) => [weight.name, weight]))).toEqual(
        new Map(original.map((weight) => [weight.name, weight])),
      );
      from = at(name);
    }
  });

  test("--to names the container, and the file goes beside the source", async () => {
    rmSync(at("net.npz"), { force: true });
    const { status, out, err } = await call("convert", at("net.safetensors"), "--to", "npz", "--json");
    expect(status, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ written: at("net.npz"), tensors: 10 });
    expect(existsSync(at("net.npz"))).toBe(true);
  });

  test.each([
    [["lenet5", "--to", "npz"], /lenet5\.npz would hold weights alone, and lenet5 is a network/],
    [["net.safetensors"], /Say where to write/],
  ])("%j is refused", async (args, message) => {
    const { status, err } = await call("convert", ...args);
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });
});
