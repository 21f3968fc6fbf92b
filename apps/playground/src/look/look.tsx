import { signal } from "@preact/signals";
import type { Looked } from "../compute/compute.ts";
import { engine, heavy } from "../computing.ts";
import { attempt, notice } from "../notice.ts";
import { Curves } from "../parts/curves.tsx";
import { DropPlace } from "../parts/drop-place.tsx";
import { FileButton } from "../parts/file-button.tsx";
import { Table } from "../parts/table.tsx";

const looked = signal<Looked | undefined>(undefined);
const isOpening = signal(false);

/** The address of the drawing as an image; the file's own text never becomes a part of the page. */
const drawing = signal<string | undefined>(undefined);

async function open(files: readonly File[]): Promise<void> {
  notice.value = "";
  isOpening.value = true;
  await attempt(async () => {
    const given = files.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
    const found = await heavy((remote) => remote.look(given));
    if (drawing.value !== undefined) URL.revokeObjectURL(drawing.value);
    drawing.value = found.drawing && URL.createObjectURL(new Blob([found.drawing], { type: "image/svg+xml" }));
    looked.value = found;
  });
  isOpening.value = false;
}

/** Opens model files and shows what is in them. */
export function Look() {
  const found = looked.value;
  return (
    <section aria-labelledby="look">
      <h2 id="look">Look into a file</h2>
      <p>A model file of Keras, PyTorch, ONNX or TensorFlow.js, a file of weights, or the folder of a convkit run.</p>
      <DropPlace onFiles={open}>
        <div class="row">
          <FileButton isMany onFiles={open}>
            Choose files
          </FileButton>
          <FileButton isFolder onFiles={open}>
            Choose a folder
          </FileButton>
          {engine.value === undefined && <span class="note">The engine is starting.</span>}
        </div>
        <p class="note">
          .keras, .h5, .safetensors, .onnx, .pth, model.json with its .bin files. Files can be dropped here, too.
        </p>
        {isOpening.value && <p role="status">Opening</p>}
        {found !== undefined && <Found {...found} />}
      </DropPlace>
    </section>
  );
}

function Found({ title, facts, layers, tensors, history, notes }: Looked) {
  return (
    <article aria-label={title}>
      <h3>{title}</h3>
      <dl>
        {facts.map(([what, value]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
      {history !== undefined && <Curves history={history} />}
      {drawing.value !== undefined && (
        <div class="scroll drawing" tabIndex={0} role="region" aria-label="The picture of the network">
          <img
            src={drawing.value}
            alt={`The layers of ${title} and how they are connected; the table below lists them`}
          />
        </div>
      )}
      {layers !== undefined && (
        <Table
          label="The layers"
          columns={["layer", "type", "output", "parameters", "multiply-adds", "receptive field"]}
          rows={layers.map(({ name, type, shape, params, macs, receptiveField }) => [
            name,
            type,
            shape,
            params.toLocaleString("en"),
            macs?.toLocaleString("en") ?? "",
            receptiveField,
          ])}
        />
      )}
      {tensors !== undefined && (
        <Table
          label="The tensors"
          columns={["tensor", "type", "shape"]}
          rows={tensors.map(({ name, type, shape }) => [name, type, shape])}
        />
      )}
    </article>
  );
}
