import { useState } from "preact/hooks";
import { DropPlace } from "../parts/drop-place.tsx";
import { FileButton } from "../parts/file-button.tsx";
import { CameraView } from "./camera-view.tsx";
import { addPictures, type PictureClass, removeClass, removePicture, renameClass } from "./classes.ts";
import { picturesIn } from "./pictures-in.ts";

/** How many pictures a card shows; the others are counted. */
const most = 40;

/** One class: its name, its pictures, and the ways to add some. */
export function ClassCard({ id, name, pictures }: PictureClass) {
  const [hasCamera, setCamera] = useState(false);
  const add = (files: readonly File[]): void => addPictures(id, picturesIn(files));
  return (
    <DropPlace class="card" onFiles={add}>
      <div class="row">
        <label class="name">
          <span class="hidden">Name of the class</span>
          <input type="text" value={name} onInput={({ currentTarget }) => renameClass(id, currentTarget.value)} />
        </label>
        <button type="button" class="quiet" aria-label={`Remove the class ${name}`} onClick={() => removeClass(id)}>
          Remove
        </button>
      </div>
      <div class="row">
        <button type="button" aria-pressed={hasCamera} onClick={() => setCamera(!hasCamera)}>
          Camera
        </button>
        <FileButton accept="image/*" isMany onFiles={add}>
          Choose pictures
        </FileButton>
      </div>
      {hasCamera && <CameraView onPicture={(picture) => addPictures(id, [picture])} onClose={() => setCamera(false)} />}
      <p class="count">
        {pictures.length === 1 ? "1 picture" : `${pictures.length} pictures`}
        {pictures.length === 0 && "; drop some here"}
      </p>
      <ul class="pictures">
        {pictures.slice(-most).map((picture) => (
          <li key={picture.id}>
            <img src={picture.address} alt={picture.file.name} loading="lazy" />
            <button
              type="button"
              class="remove"
              aria-label={`Remove ${picture.file.name}`}
              onClick={() => removePicture(id, picture)}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
    </DropPlace>
  );
}
