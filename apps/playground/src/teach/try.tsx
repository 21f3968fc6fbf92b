import { useSignal } from "@preact/signals";
import { CameraView } from "../collect/camera-view.tsx";
import type { Classified } from "../compute/compute.ts";
import { computing } from "../computing.ts";
import { attempt } from "../notice.ts";
import { DropPlace } from "../parts/drop-place.tsx";
import { FileButton } from "../parts/file-button.tsx";
import { Picture } from "../parts/picture.tsx";
import { taught } from "./training.ts";

/** What the taught network sees in a picture, or in what the camera sees. */
export function Try() {
  const hasCamera = useSignal(false);
  const isExplained = useSignal(true);
  const shown = useSignal<(Classified & { readonly name: string; readonly address?: string }) | undefined>(undefined);
  const classes = taught.value?.classes;
  if (classes === undefined) return null;

  const classify = (picture: File, isLive = false): Promise<unknown> =>
    attempt(async () => {
      const found = await computing().classify(picture, isExplained.value);
      if (shown.value?.address !== undefined) URL.revokeObjectURL(shown.value.address);
      // The camera shows its picture itself.
      const address = isLive ? undefined : URL.createObjectURL(picture);
      shown.value = { ...found, name: picture.name, ...(address !== undefined && { address }) };
    });
  const first = ([file]: readonly File[]): void => void (file !== undefined && classify(file));
  const best = shown.value === undefined ? -1 : shown.value.scores.indexOf(Math.max(...shown.value.scores));

  return (
    <section aria-labelledby="try">
      <h2 id="try">3. Try it</h2>
      <DropPlace onFiles={first}>
        <div class="row">
          <button type="button" aria-pressed={hasCamera.value} onClick={() => (hasCamera.value = !hasCamera.value)}>
            Camera
          </button>
          <FileButton accept="image/*" onFiles={first}>
            Choose a picture
          </FileButton>
          <label class="check">
            <input
              type="checkbox"
              checked={isExplained.value}
              onChange={({ currentTarget }) => (isExplained.value = currentTarget.checked)}
            />
            Show where it looks (Grad-CAM)
          </label>
        </div>
        <div class="tried">
          {hasCamera.value && (
            <CameraView
              every={50}
              onPicture={(file) => classify(file, true)}
              onClose={() => (hasCamera.value = false)}
            />
          )}
          {shown.value?.address !== undefined && <img src={shown.value.address} alt={shown.value.name} />}
          {shown.value?.heat !== undefined && (
            <Picture pixels={shown.value.heat} label={`Where the network sees ${classes[best]}`} />
          )}
          {shown.value !== undefined && (
            <ul class="scores" aria-label="Probabilities of the classes">
              {shown.value.scores.map((score, index) => (
                <li key={index} class={index === best ? "best" : ""}>
                  <span>{classes[index]}</span>
                  <meter min={0} max={1} value={score} aria-label={classes[index]} />
                  <span>{(score * 100).toFixed(1)} %</span>
                </li>
              ))}
            </ul>
          )}
        </div>
      </DropPlace>
    </section>
  );
}
