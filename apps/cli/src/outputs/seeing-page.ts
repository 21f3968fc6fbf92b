import { basename } from "node:path";
import {
  attributionPixels,
  featureMapPixels,
  filterPixels,
  imagePixels,
  mapPixels,
  overlayPixels,
  type Pixels,
} from "@convkit/inspect";
import { facts, grid, html, page, section, tableOf, tiles, trusted, type Html } from "@convkit/report/internal";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import sharp from "sharp";
import type { Seen } from "../inference/seeing.ts";
import { percent } from "../terminal/format.ts";

const style = trusted(`<style>
.shots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(210px, 100%), 1fr)); gap: 16px; }
.shots img { width: 100%; height: auto; aspect-ratio: auto; background: none; border-radius: 6px; }
.shots img.sheet { image-rendering: pixelated; border-radius: 0; }
.shots.large { grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); }
header h1, .tile b { overflow-wrap: anywhere; }
@media (max-width: 560px) { .tile b { font-size: 18px; } }
</style>`);

/** One page of everything that a network sees in an image; it loads nothing. */
export async function seeingPage(model: LayersModel, image: string, seen: Seen): Promise<string> {
  const { predictions, activations, gradients, saliency, maps, filters, field, input, pixels } = seen;
  const [best] = predictions;
  const photo = imagePixels(pixels.values, pixels.shape);
  const heats = await Promise.all(
    activations.map((activation, i) =>
      shot(
        overlayPixels(photo, activation.values),
        `${predictions[i]!.label}, ${percent(predictions[i]!.probability).trim()}`,
        `logit ${activation.score.toFixed(2)}`,
      ),
    ),
  );
  const layer = activations[0]!.layer;
  const [h, w] = field.size;
  const gap = Math.abs(gradients.gap / (gradients.score - gradients.baselineScore || 1));
  const sections = [
    section(
      "Input",
      shots([
        await shot(photo, "the image", `${pixels.shape.join(" x ")}`),
        await shot(imagePixels(input.values, input.shape), "as the network sees it", rangeOf(input.values)),
      ]),
      { note: "Preprocessed values, stretched to black and white." },
    ),
    section(
      "Classes",
      tableOf(
        ["class", "probability"],
        predictions.map(({ label, probability }) => [label, percent(probability).trim()]),
      ),
    ),
    section(`Where it sees them: Grad-CAM of ${layer}`, shots(heats), {
      wide: true,
      note: "Bright where the feature map speaks for the class. Selvaraju et al. 2017.",
    }),
    section(
      `Which pixels speak for ${best!.label}`,
      shots([
        await shot(
          attributionPixels(gradients),
          "integrated gradients",
          `${(100 * gap).toFixed(1)} % of the score missed`,
        ),
        await shot(attributionPixels(saliency), "saliency (SmoothGrad)", "mean gradient over 8 noisy images"),
      ]),
      { wide: true, note: "Red for the class, blue against it. Sundararajan et al. 2017, Smilkov et al. 2017." },
    ),
    section(
      "Feature maps at the end of each stage",
      shots(
        await Promise.all(maps.map((map) => shot(featureMapPixels(map), map.layer, channelsText(map.shape), true))),
        "large",
      ),
      { wide: true, note: "Each channel is stretched to its own range." },
    ),
    ...(filters === undefined
      ? []
      : [
          section(
            `Filters of ${filters.layer}`,
            shots([await shot(filterPixels(filters), filters.layer, filters.shape.join(" x "), true)], "large"),
          ),
        ]),
    section(
      `Receptive field of ${field.layer}`,
      html`${shots([await shot(mapPixels(field.weights.map(Math.sqrt), [h, w], "inferno"), "weight of each pixel", "square root")])}
      ${facts({
        "whole field": `${field.theoretical.join(" x ")} pixels`,
        "95 % of the weight": `${field.effective.join(" x ")} pixels`,
        stride: field.stride.join(" x "),
        "Gaussian's deviation": field.gaussian.deviation.map((each) => each.toFixed(1)).join(" x "),
      })}`,
      { note: "Gradient of the map's center by the pixels of this image. Luo et al. 2016." },
    ),
  ];
  const head = tiles([
    [best!.label, "most likely class"],
    [percent(best!.probability).trim(), "probability"],
    [model.countParams().toLocaleString("en-US"), "parameters"],
    [layer, "last feature map"],
  ]);
  return page(`${model.name} looks at ${basename(image)}`, "Classes, attributions, feature maps, receptive field", [
    style,
    head,
    grid(sections),
  ]);
}

function shots(figures: readonly Html[], kind: "" | "large" = ""): Html {
  return html`<div class="shots ${kind}">${figures}</div>`;
}

async function shot({ width, height, data }: Pixels, title: string, note: string, isSheet = false): Promise<Html> {
  const png = await sharp(data, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
  const address = `data:image/png;base64,${png.toString("base64")}`;
  const kind = isSheet || width < 128 ? "sheet" : "";
  return html`<figure>
    <img class="${kind}" src="${address}" width="${width}" height="${height}" alt="${title}" />
    <figcaption>${title}<br /><small>${note}</small></figcaption>
  </figure>`;
}

function channelsText([height, width, channels]: readonly [number, number, number]): string {
  return `${height} x ${width} x ${channels}${channels > 64 ? ", the first 64 channels" : ""}`;
}

function rangeOf(values: Float32Array): string {
  const least = values.reduce((a, b) => Math.min(a, b));
  const most = values.reduce((a, b) => Math.max(a, b));
  return `${least.toFixed(2)} to ${most.toFixed(2)}`;
}
