import { useSignal } from "@preact/signals";
import type { Pixels } from "@convkit/inspect";
import { classes } from "../collect/classes.ts";
import type { Augmentation } from "../compute/compute.ts";
import { computing, engine } from "../computing.ts";
import { attempt } from "../notice.ts";
import { Picture } from "../parts/picture.tsx";
import { augmentation } from "./settings.ts";

type Factor = Exclude<keyof Augmentation, "flip">;

const factors: Readonly<Record<Factor, readonly [label: string, most: number, text: (value: number) => string]>> = {
  rotation: ["Turn", 0.25, (value) => `up to ${Math.round(value * 360)} degrees`],
  zoom: ["Zoom", 0.5, (value) => `up to ${Math.round(value * 100)} %`],
  brightness: ["Brightness", 0.5, (value) => `up to ${Math.round(value * 100)} %`],
  contrast: ["Contrast", 0.5, (value) => `up to ${Math.round(value * 100)} %`],
};

/** How pictures change at random in training, with examples. */
export function Augmentations() {
  const examples = useSignal<readonly Pixels[]>([]);
  const chosen = augmentation.value;
  const set = (change: Partial<Augmentation>): void => {
    augmentation.value = { ...chosen, ...change };
  };
  const picture = classes.value.flatMap(({ pictures }) => pictures)[0];
  const show = (): Promise<unknown> =>
    attempt(async () => {
      examples.value = await computing().augmented(picture!.file, augmentation.value, 8);
    });
  return (
    <fieldset>
      <legend>Random changes (augmentation)</legend>
      <label class="check">
        <input
          type="checkbox"
          checked={chosen.flip}
          onChange={({ currentTarget }) => set({ flip: currentTarget.checked })}
        />
        Mirror from left to right
      </label>
      {(Object.keys(factors) as Factor[]).map((name) => {
        const [label, most, text] = factors[name];
        return (
          <label key={name} class="range">
            <span>{label}</span>
            <input
              type="range"
              min={0}
              max={most}
              step={0.01}
              value={chosen[name]}
              aria-valuetext={text(chosen[name])}
              onInput={({ currentTarget }) => set({ [name]: Number(currentTarget.value) })}
            />
            <span>{chosen[name] === 0 ? "none" : text(chosen[name])}</span>
          </label>
        );
      })}
      <button type="button" disabled={picture === undefined || engine.value === undefined} onClick={show}>
        Show examples
      </button>
      {examples.value.length > 0 && (
        <div class="examples">
          {examples.value.map((pixels, index) => (
            <Picture key={index} pixels={pixels} label={`Example ${index + 1} of changes`} />
          ))}
        </div>
      )}
    </fieldset>
  );
}
