import { EventEmitter } from "node:events";
import { describe, expect, it, vi } from "vitest";
import sharp from "sharp";
import { decodeFiles } from "../src/images/decode-files.ts";
import { decodeImage } from "../src/images/decode.ts";
import { put, temporaryFolder } from "./temporary.ts";

const started = vi.hoisted(() => ({ count: 0 }));

vi.mock("node:worker_threads", () => ({
  /** A thread whose file a bundler has left out: it dies before it does anything. */
  Worker: class extends EventEmitter {
    constructor() {
      super();
      started.count++;
      setImmediate(() => {
        this.emit("error", new Error("Cannot find module"));
        this.emit("exit", 1);
      });
    }
    ref() {}
    unref() {}
    postMessage() {}
  },
}));

describe("where threads cannot be started", () => {
  it("files are decoded all the same, and no more are tried", async () => {
    const jpeg = await sharp({ create: { width: 9, height: 7, channels: 3, background: "#248" } })
      .jpeg()
      .toBuffer();
    const folder = temporaryFolder();
    const files = Array.from({ length: 6 }, (_, i) => put(folder, `${i}.jpg`, jpeg));
    const { data } = await decodeImage(jpeg, { size: [5, 5] });
    for (const round of [1, 2]) {
      const wanted = files.map((file) => ({ source: file, target: new Uint8Array(75) }));
      const failures = await decodeFiles(wanted, { size: [5, 5], channels: 3, orient: true, workers: 2 });
      expect(failures, `round ${round}`).toEqual(files.map(() => undefined));
      for (const { target } of wanted) expect(target).toEqual(data);
    }
    expect(started.count).toBe(2);
  });
});
