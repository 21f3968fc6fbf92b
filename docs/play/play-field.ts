import { effectiveReceptiveField } from "./arithmetic.ts";
import { arrow, clamp, make } from "./elements.ts";
import { parseLayers, pathsTo, rowsOf } from "./field.ts";

const choices = { "3x3": "3", "5x5": "5", "3x3, stride 2": "3s2", "3x3, dilation 2": "3d2", "pool 2x2": "p2" } as const;
const [rowHeight, left, cell, most] = [50, 4, 18, 6];

/** A stack of layers from the side: one row for each, the image at the bottom. The marked value of the top row can be dragged. */
export function playField(place: HTMLElement): void {
  const size = Number(place.dataset["size"]);
  let layers = (place.dataset["layers"] ?? "3").split(",");
  let position = -1;
  const picture = make("div", {
    class: "play-picture",
    tabindex: "0",
    role: "slider",
    "aria-orientation": "horizontal",
  });
  const told = make("p", { class: "play-told", "aria-live": "polite" });
  const buttons = make("div", { class: "play-controls" });

  function show(): void {
    const stack = parseLayers(layers.join(","));
    const rows = rowsOf(stack, size);
    const top = rows.at(-1)!;
    position = position < 0 ? Math.floor(top.cells / 2) : clamp(position, 0, top.cells - 1);
    const paths = pathsTo(stack, size, position);
    const field = effectiveReceptiveField(stack).size;
    const inside = [...paths[0]!.keys()].filter((pixel) => pixel >= 0 && pixel < size).length;
    const height = rows.length * rowHeight;
    const drawn = rows.map((row, i) => {
      const reached = paths[i]!;
      const largest = Math.max(...reached.values());
      const y = height - (i + 1) * rowHeight;
      const cells = Array.from({ length: row.cells }, (_, at) => {
        const count = reached.get(at) ?? 0;
        const x = left + (row.start + at * row.step) * cell;
        const strength = count === 0 ? "" : ` style="fill-opacity:${(0.25 + (0.75 * count) / largest).toFixed(2)}"`;
        return `<rect class="${count === 0 ? "cell" : "cell seen"}"${strength} x="${x + 1}" y="${y + 27}" width="${cell - 2}" height="16" rx="2"/>`;
      });
      return `<text x="${left}" y="${y + 21}">${row.name}: ${row.cells}</text>${cells.join("")}`;
    });
    const width = 2 * left + size * cell;
    picture.innerHTML = `<svg viewBox="0 0 ${width} ${height}" aria-hidden="true">${drawn.join("")}</svg>`;
    for (const [name, value] of Object.entries({
      "aria-label": "Value of the last map",
      "aria-valuemin": 0,
      "aria-valuemax": top.cells - 1,
      "aria-valuenow": position,
      "aria-valuetext": `value ${position} of ${top.cells}, sees ${field}x${field} pixels`,
    }))
      picture.setAttribute(name, String(value));
    const padding =
      inside < paths[0]!.size
        ? ` ${inside} of the ${paths[0]!.size} columns that it reads are in the image, the rest is padding.`
        : "";
    told.textContent = `${layers.length} layers: value ${position} of the last map sees ${field}x${field} pixels, and its neighbor the field ${top.step} pixels further.${padding}`;
    for (const button of buttons.querySelectorAll("button")) {
      button.disabled = button.dataset["layer"] === undefined ? layers.length === 1 : layers.length === most;
    }
  }

  const drag = ({ clientX }: PointerEvent): void => {
    const svg = picture.querySelector("svg")!;
    const box = svg.getBoundingClientRect();
    const pixel = ((clientX - box.left) / box.width) * (svg.viewBox.baseVal.width / cell) - left / cell - 0.5;
    const top = rowsOf(parseLayers(layers.join(",")), size).at(-1)!;
    position = clamp(Math.round((pixel - top.start) / top.step), 0, top.cells - 1);
    show();
  };
  picture.addEventListener("pointerdown", (event) => {
    picture.setPointerCapture(event.pointerId);
    drag(event);
  });
  picture.addEventListener("pointermove", (event) => {
    if (picture.hasPointerCapture(event.pointerId)) drag(event);
  });
  picture.addEventListener("keydown", (event) => {
    const step = arrow(event.key);
    if (step === undefined) return;
    event.preventDefault();
    position = Math.max(0, position + step[1] - step[0]);
    show();
  });
  for (const [text, layer] of Object.entries(choices)) {
    const button = make("button", { type: "button", "data-layer": layer }, `+ ${text}`);
    button.addEventListener("click", () => {
      layers = [...layers, layer];
      show();
    });
    buttons.append(button);
  }
  const remove = make("button", { type: "button" }, "− last layer");
  remove.addEventListener("click", () => {
    layers = layers.slice(0, -1);
    show();
  });
  buttons.append(remove);
  place.append(buttons, told, picture);
  show();
}
