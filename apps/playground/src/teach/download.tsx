import { useSignal } from "@preact/signals";
import { classes } from "../collect/classes.ts";
import { augmentationPlan } from "../compute/augmentation-plan.ts";
import type { Format } from "../compute/compute.ts";
import { heavy } from "../computing.ts";
import { attempt } from "../notice.ts";
import { nodeProgram } from "./node-program.ts";
import { picturesByPath, zipOf } from "./project-zip.ts";
import { augmentation } from "./settings.ts";
import { taught } from "./training.ts";

declare const CONVKIT_VERSION: string;

/** The taught network as files, alone or with all that continues its training in Node. */
export function Download() {
  const isBusy = useSignal(false);
  if (taught.value === undefined) return null;
  const result = taught.value;
  const download = (make: () => Promise<File>) => async (): Promise<void> => {
    isBusy.value = true;
    await attempt(async () => save(await make()));
    isBusy.value = false;
  };
  const modelFile = async (format: Format): Promise<File> => {
    const files = await heavy((remote) => remote.files(format));
    return files.length === 1 ? files[0]! : zipOf(`model-${format}.zip`, await byName(files));
  };
  const program = async (): Promise<File> => {
    const texts = nodeProgram(result, augmentationPlan(augmentation.value), CONVKIT_VERSION);
    const encoded = Object.entries(texts).map(([path, text]) => [path, new TextEncoder().encode(text)]);
    const model = await heavy((remote) => remote.files("keras"));
    return zipOf("continue.zip", {
      ...Object.fromEntries(encoded),
      ...(await byName(model)),
      ...(await picturesByPath(classes.value)),
    });
  };
  return (
    <section aria-labelledby="download">
      <h2 id="download">4. Download</h2>
      <div class="row">
        <button type="button" disabled={isBusy.value} onClick={download(() => modelFile("keras"))}>
          Keras (.keras)
        </button>
        <button type="button" disabled={isBusy.value} onClick={download(() => modelFile("onnx"))}>
          ONNX (.onnx)
        </button>
        <button type="button" disabled={isBusy.value} onClick={download(() => modelFile("tfjs"))}>
          TensorFlow.js (.zip)
        </button>
        <button type="button" disabled={isBusy.value} onClick={download(program)}>
          Program for Node (.zip)
        </button>
      </div>
      <p class="note">
        The program for Node holds the model, your pictures and a script that continues the training there. The files
        hold the names of the classes and how pictures become the input:{" "}
        <code>npx convkit predict model.keras picture.jpg</code> gives what this page gives.
      </p>
    </section>
  );
}

async function byName(files: readonly File[]): Promise<Record<string, Uint8Array>> {
  const entries = files.map(async (file) => [file.name, new Uint8Array(await file.arrayBuffer())] as const);
  return Object.fromEntries(await Promise.all(entries));
}

function save(file: File): void {
  const address = URL.createObjectURL(file);
  Object.assign(document.createElement("a"), { href: address, download: file.name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
