import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { withoutDrawing } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { fromArrays } from "@convkit/datasets";
import { createModel } from "@convkit/models";
import { classify } from "@convkit/predict";
import { train } from "@convkit/trainer";
import { loadModel, saveModel } from "@convkit/weights";
import { unzipSync } from "fflate";
import type { BrowserContext, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findingsOn, readers } from "../src/accessibility.ts";
import { findChromium } from "@convkit/testing/chromium";
import { withoutBrowser } from "../src/browser.ts";
import { commandFile, openPlayground, type Playground } from "../src/open-playground.ts";
import { runProgram } from "../src/run-program.ts";
import { twoClasses } from "../src/small-training.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-playground-"));
const at = (path: string): string => join(folder, path);
const classes = ["dark", "light"] as const;
const perClass = 10;

/** Pictures that are wider than high, dark or light, each with other noise. */
async function drawPictures(): Promise<void> {
  for (const name of classes) {
    mkdirSync(at(`photos/${name}`), { recursive: true });
    for (let index = 0; index < perClass; index++) {
      const level = (name === "dark" ? 40 : 160) + 5 * index;
      const data = Uint8Array.from({ length: 90 * 60 * 3 }, (_, i) => level + ((i * 7 + index * 13) % 31));
      await sharp(data, { raw: { width: 90, height: 60, channels: 3 } })
        .png()
        .toFile(at(`photos/${name}/${index}.png`));
    }
  }
  writeFileSync(at("photos/light/broken.png"), "this is no picture");
}

/** A run's folder, weights without a network, and a broken file. */
async function writeFiles(): Promise<void> {
  const options = { shape: [8, 8, 1], labels: [0, 1, 0, 1], classes: ["a", "b"] } as const;
  const data = fromArrays({ images: new Uint8Array(4 * 64), ...options });
  await train({ model: twoClasses(), data, epochs: 2, progress: false, out: at("run") });
  const header = JSON.stringify({ "linear.weight": { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(at("weights.safetensors"), Buffer.concat([length, Buffer.from(header), Buffer.alloc(24)]));
  writeFileSync(at("broken.keras"), "this is no model");
}

// What the page was taught, tried with and gave is carried from test to test, as a reader would do it.
describe.skipIf(findChromium() === undefined)(`the playground${withoutBrowser}`, { sequential: true }, () => {
  let playground: Playground;
  let context: BrowserContext;
  let page: Page;
  const errors: string[] = [];
  const part = (name: string) => page.locator(`section[aria-labelledby=${name}]`);
  const notice = () => page.locator("[role=alert].notice p");
  const photo = at("photos/light/3.png");

  const ready = () => page.locator("footer", { hasText: "Computes on WebAssembly" }).waitFor();
  const tryPicture = async (path: string): Promise<number[]> => {
    const image = part("try").locator(".tried > img");
    const before = await image.getAttribute("src", { timeout: 100 }).catch(() => null);
    await part("try").getByText("Choose a picture").locator("input").setInputFiles(path);
    await page.waitForFunction(
      (old) => (document.querySelector(".tried > img")?.getAttribute("src") ?? null) !== old,
      before,
    );
    const texts = await part("try").locator(".scores li > span:last-child").allTextContents();
    return texts.map((text) => Number.parseFloat(text) / 100);
  };
  const teach = async (): Promise<void> => {
    await part("train")
      .getByRole("button", { name: /^Train on/u })
      .click();
    await part("train").locator(".running").waitFor({ state: "detached" });
  };
  const download = async (name: string): Promise<string> => {
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      part("download").getByRole("button", { name }).click(),
    ]);
    const path = at(saved.suggestedFilename());
    await saved.saveAs(path);
    return path;
  };
  /** The probabilities of a model file in Node, in the order of the page's classes. */
  const scoresInNode = async (path: string): Promise<number[]> => {
    const found = await classify(await loadModel(path), readFileSync(photo), { top: classes.length });
    return classes.map((name) => found.find(({ label }) => label === name)!.probability);
  };

  beforeAll(async () => {
    await useEngine("wasm");
    await drawPictures();
    await writeFiles();
    playground = await openPlayground();
    context = await playground.browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(300_000);
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(playground.url);
    await page.getByLabel("Engine").selectOption("wasm");
    await ready();
  });

  afterAll(async () => {
    await playground?.close();
    rmSync(folder, { recursive: true, force: true });
    expect(errors).toEqual([]);
  });

  it("says that another program has its port", () => {
    const command = ["playground", "--port", new URL(playground.url).port];
    const { status, stderr } = spawnSync(process.execPath, [commandFile, ...command], { encoding: "utf8" });
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^convkit: Port \d+ is in use by another program: /u)]);
  });

  it("takes a folder of classes, and says what is missing before", async () => {
    expect(await part("train").locator(".row .note").last().textContent()).toBe(
      "The class Class 1 has no pictures yet.",
    );
    await part("collect").getByText("Open a folder of classes").locator("input").setInputFiles(at("photos"));
    const names = part("collect").getByLabel("Name of the class");
    expect(await names.evaluateAll((inputs) => inputs.map((input) => (input as HTMLInputElement).value))).toEqual(
      classes,
    );
    expect(await part("collect").locator(".count").allTextContents()).toEqual(["10 pictures", "11 pictures"]);
  });

  it("shows how pictures are changed", async () => {
    await part("train").getByText("More settings").click();
    await part("train").getByLabel("Brightness").fill("0.5");
    await part("train").getByRole("button", { name: "Show examples" }).click();
    const canvases = part("train").locator(".examples canvas");
    await canvases.first().waitFor();
    const middles = await canvases.evaluateAll((all) =>
      all.map((canvas) => (canvas as HTMLCanvasElement).getContext("2d")!.getImageData(48, 48, 1, 1).data[0]),
    );
    expect(middles).toHaveLength(8);
    // By half of white at most, upwards and downwards: eight equal ones would be a change that does nothing.
    expect(new Set(middles).size).toBeGreaterThan(4);
    await part("train").getByLabel("Brightness").fill("0");
  });

  it("teaches the small network, and leaves out with its reason what is no picture", async () => {
    await part("train").getByLabel("A small network").check();
    await part("train").getByLabel("Learning rate").fill("0.01");
    await part("train").getByRole("spinbutton", { name: "Epochs" }).fill("15");
    await teach();
    expect(await notice().textContent()).toContain("broken.png (light): ");
    expect(await part("train").locator("h3 + p").textContent()).toContain("100.0 % of 4 pictures");
    expect(
      await part("train")
        .locator(".chart")
        .evaluateAll((all) => all.map((each) => each.getAttribute("aria-label"))),
    ).toEqual([
      expect.stringContaining("The loss over 15 epochs"),
      expect.stringContaining("The accuracy over 15 epochs"),
      "Confusion matrix: no mistakes",
    ]);
  });

  it("keeps what was learned where the reader stops it", async () => {
    await part("train").getByRole("spinbutton", { name: "Epochs" }).fill("100000");
    await part("train")
      .getByRole("button", { name: /^Train on/u })
      .click();
    await part("train")
      .getByText(/^Epoch [3-9] of 100000/u)
      .waitFor();
    await page.evaluate(() => {
      Object.defineProperty(document, "hidden", { value: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    expect(await notice().textContent()).toBe("The training goes on while this page is hidden.");
    await part("train").getByRole("button", { name: "Stop" }).click();
    await part("train").locator(".running").waitFor({ state: "detached" });
    expect(await part("train").locator("h3 + p").textContent()).toMatch(/% of 4 pictures/u);
    await part("train").getByRole("spinbutton", { name: "Epochs" }).fill("15");
    await teach();
  });

  it("gives files that tell in Node what the page tells", async () => {
    const scores = await tryPicture(photo);
    expect(scores[1]).toBeGreaterThan(0.5);
    expect(await part("try").locator("canvas").count()).toBe(1);
    for (const [name, model] of [
      ["Keras", "model.keras"],
      ["ONNX", "model.onnx"],
      ["TensorFlow.js", "tfjs/model.json"],
    ] as const) {
      const path = await download(name);
      if (path.endsWith(".zip")) unpack(path, at("tfjs"));
      const inNode = await scoresInNode(at(model));
      // The page shows a tenth of a percent.
      for (const [index, score] of scores.entries()) expect(inNode[index]).toBeCloseTo(score, 3);
    }
  });

  it("gives a program that continues the training in Node", async () => {
    unpack(await download("Program for Node"), at("program"));
    expect(runProgram(at("program"), "continue.mjs")).toMatch(/^accuracy 1\.000 before, \d\.\d{3} after$/mu);
    expect(existsSync(at("program/continued.keras"))).toBe(true);
  });

  it("tells what is in a file, and refuses one that is broken", async () => {
    await page.getByRole("link", { name: "Look into a file" }).click();
    const input = part("look").locator("input").first();
    await input.setInputFiles(at("broken.keras"));
    await notice().waitFor();
    expect(await notice().textContent()).toContain("broken.keras");
    await input.setInputFiles(at("model.keras"));
    await part("look").locator(".drawing img").waitFor();
    const row = await part("look")
      .getByRole("row", { name: /^stage2\.conv/u })
      .getByRole("cell")
      .allTextContents();
    // 3x3x16x32 weights, each used for 32x32 pixels; two windows of 3 with a pool of 2 between see 8 pixels.
    expect(row).toEqual(["Conv2D", "[any, 32, 32, 32]", "4,608", "4,718,592", "8 x 8"]);
    const drawn = part("look").locator(".drawing img");
    expect(await drawn.evaluate((image) => (image as HTMLImageElement).naturalHeight)).toBeGreaterThan(400);
    await part("look").getByText("Choose a folder").locator("input").setInputFiles(at("run"));
    await part("look").getByRole("heading", { name: "run", exact: true }).waitFor();
    expect(await part("look").locator(".chart").first().getAttribute("aria-label")).toContain("The loss over 2 epochs");
    expect(await part("look").locator(".drawing img").count()).toBe(1);
    await input.setInputFiles(at("weights.safetensors"));
    await part("look").getByRole("region", { name: "The tensors" }).waitFor();
    expect(await part("look").getByRole("row").last().textContent()).toBe("linear.weightfloat32[2, 3]");
    await page.getByRole("link", { name: "Teach a network" }).click();
  });

  it("teaches a head on MobileNet", async () => {
    const network = withoutDrawing(() => createModel("mobilenet-v2", { includeTop: false, seed: 1 }));
    await saveModel(network, at("mobilenet.weights.h5"));
    network.dispose();
    await part("train").getByLabel("MobileNetV2").check();
    // No file lies beside the page here unless the machine has it.
    await part("train")
      .getByText("Choose a file of its weights")
      .locator("input")
      .setInputFiles(at("mobilenet.weights.h5"));
    await part("train").getByLabel("Mirror").uncheck();
    for (const name of ["Turn", "Zoom", "Brightness", "Contrast"]) await part("train").getByLabel(name).fill("0");
    await teach();
    const scores = await tryPicture(photo);
    const inNode = await scoresInNode(await download("Keras"));
    for (const [index, score] of scores.entries()) expect(inNode[index]).toBeCloseTo(score, 3);
  });

  it("says what to do where the camera is refused, and shows what it sees where it is allowed", async () => {
    await part("try").getByRole("button", { name: "Camera" }).click();
    await page.locator("[role=alert]", { hasText: "The camera was refused" }).waitFor();
    await context.grantPermissions(["camera"]);
    await part("collect").getByRole("button", { name: "Camera" }).first().click();
    const take = part("collect").getByRole("button", { name: "Take a picture" });
    await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
    await take.click();
    await part("collect").locator(".count", { hasText: "11 pictures" }).first().waitFor();
  });

  it.each(readers)("has no serious faults for readers: $scheme, $width pixels", async ({ scheme, width }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 844 });
    expect(await findingsOn(page)).toEqual([]);
    await page.getByRole("link", { name: "Look into a file" }).click();
    expect(await findingsOn(page)).toEqual([]);
    await page.getByRole("link", { name: "Teach a network" }).click();
  });

  it("opens without a network after the first time", async () => {
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await context.setOffline(true);
    await page.reload();
    await page.getByLabel("Engine").selectOption("wasm");
    await ready();
    await context.setOffline(false);
  });
});

/** Writes the files of a zip archive into a folder. */
function unpack(path: string, into: string): void {
  for (const [name, bytes] of Object.entries(unzipSync(readFileSync(path)))) {
    mkdirSync(dirname(join(into, name)), { recursive: true });
    writeFileSync(join(into, name), bytes);
  }
}
