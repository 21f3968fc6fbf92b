import { drawWindow } from "../../packages/inspect/src/window/draw-window.ts";
import { arrow, clamp, make } from "./elements.ts";
import { sizeText, windowOptions, type WindowSettings } from "./window.ts";

const ranges = {
  input: ["Image", 3, 9],
  kernel: ["Kernel", 1, 5],
  stride: ["Stride", 1, 3],
  padding: ["Padding", 0, 3],
  dilation: ["Dilation", 1, 3],
} as const;
const operations = { convolution: "convolution", max: "max pooling", average: "average pooling" } as const;

/** A window that moves over an image, with a control for each of its numbers. */
export function playWindow(place: HTMLElement): void {
  const numbers = Object.fromEntries(Object.keys(ranges).map((name) => [name, Number(place.dataset[name])]));
  let settings = { ...numbers, operation: "convolution" } as unknown as WindowSettings;
  let position: readonly [number, number] = [0, 0];
  let size: readonly [number, number] = [1, 1];

  const picture = make("div", {
    class: "play-picture",
    tabindex: "0",
    role: "application",
    "aria-label": "The window over the image. Arrow keys move it.",
  });
  const shadow = picture.attachShadow({ mode: "open" });
  const told = make("p", { class: "play-told", "aria-live": "polite" });

  function show(): void {
    const dark = document.documentElement.classList.contains("dark");
    try {
      const options = windowOptions(settings);
      const whole = sizeText(settings);
      const side = Number(/= (\d+)[.,]/.exec(whole)?.[1]);
      size = [side, side];
      position = [clamp(position[0], 0, side - 1), clamp(position[1], 0, side - 1)];
      const svg = drawWindow({ ...options, positions: [position], theme: dark ? "dark" : "light" });
      shadow.innerHTML = `<style>svg{max-width:100%;height:auto;display:block}.result{cursor:pointer}text{pointer-events:none}</style>${svg}`;
      told.textContent = whole;
    } catch (error) {
      shadow.replaceChildren();
      told.textContent = `The window does not fit: ${(error as Error).message}`;
    }
  }

  picture.addEventListener("keydown", (event) => {
    const step = arrow(event.key);
    if (step === undefined) return;
    event.preventDefault();
    position = [position[0] + step[0], position[1] + step[1]];
    show();
  });
  shadow.addEventListener("click", ({ target }) => {
    const cells = [...shadow.querySelectorAll(".result")];
    const index = cells.indexOf(target as Element);
    if (index < 0) return;
    position = [Math.floor(index / size[1]), index % size[1]];
    show();
  });

  const form = make("form", { class: "play-controls" });
  for (const [name, [label, low, high]] of Object.entries(ranges)) {
    const value = String(settings[name as keyof typeof ranges]);
    const input = make("input", { type: "range", min: String(low), max: String(high), value });
    const shown = make("output", {}, value);
    input.addEventListener("input", () => {
      shown.textContent = input.value;
      settings = { ...settings, [name]: Number(input.value) };
      show();
    });
    form.append(make("label", {}, make("span", {}, label), input, shown));
  }
  const choice = make(
    "select",
    {},
    ...Object.entries(operations).map(([value, text]) => make("option", { value }, text)),
  );
  choice.addEventListener("change", () => {
    settings = { ...settings, operation: choice.value as WindowSettings["operation"] };
    show();
  });
  form.append(make("label", {}, make("span", {}, "Computes"), choice));
  form.addEventListener("submit", (event) => event.preventDefault());
  place.append(form, told, picture);
  new MutationObserver(show).observe(document.documentElement, { attributeFilter: ["class"] });
  show();
}
