import { classes, missing } from "../collect/classes.ts";
import type { NetworkName } from "../compute/compute.ts";
import { engine } from "../computing.ts";
import { Curves } from "../parts/curves.tsx";
import { FileButton } from "../parts/file-button.tsx";
import { Augmentations } from "./augmentations.tsx";
import { Judged } from "./judged.tsx";
import { epochs, learningRate, network, weights } from "./settings.ts";
import { report, startTraining, stopTraining, taught } from "./training.ts";

const networks: Readonly<Record<NetworkName, string>> = {
  "mobilenet-v2": "MobileNetV2 with a new head: good with few pictures (9 MB of weights, loaded once)",
  small: "A small network from nothing: needs more pictures and epochs",
};

/** The settings, the training and its curves. */
export function Train() {
  const running = report.value;
  const reason = missing.value ?? (engine.value === undefined ? "The engine is starting." : undefined);
  const count = classes.value.reduce((sum, { pictures }) => sum + pictures.length, 0);
  return (
    <section aria-labelledby="train">
      <h2 id="train">2. Train</h2>
      <fieldset>
        <legend>Network</legend>
        {(Object.keys(networks) as NetworkName[]).map((name) => (
          <label key={name} class="check">
            <input
              type="radio"
              name="network"
              checked={network.value === name}
              onChange={() => (network.value = name)}
            />
            {networks[name]}
          </label>
        ))}
        {network.value === "mobilenet-v2" && (
          <div class="row">
            <FileButton accept=".h5,.keras,.safetensors" onFiles={([file]) => (weights.value = file)}>
              Choose a file of its weights
            </FileButton>
            <span class="note">{weights.value?.name ?? "by default those beside this page"}</span>
          </div>
        )}
      </fieldset>
      <details>
        <summary>More settings</summary>
        <div class="row">
          <NumberField label="Epochs" setting={epochs} least={1} step={1} />
          <NumberField label="Learning rate" setting={learningRate} least={0.00001} step="any" />
        </div>
        <Augmentations />
      </details>
      <div class="row">
        <button
          type="button"
          class="main"
          disabled={reason !== undefined || running !== undefined}
          onClick={startTraining}
        >
          Train on {count === 1 ? "1 picture" : `${count} pictures`}
        </button>
        {running !== undefined && (
          <button type="button" onClick={stopTraining}>
            Stop
          </button>
        )}
        {reason !== undefined && <span class="note">{reason}</span>}
      </div>
      {running !== undefined && (
        <div class="running">
          <progress max={1} value={running.share} aria-label="How much of the training is done" />
          <p role="status">{running.doing}</p>
        </div>
      )}
      <Curves history={running?.history ?? taught.value?.history ?? []} />
      {running === undefined && taught.value !== undefined && <Judged {...taught.value} />}
    </section>
  );
}

interface NumberFieldProps {
  readonly label: string;
  readonly setting: { value: number };
  readonly least: number;
  readonly step: number | "any";
}

function NumberField({ label, setting, least, step }: NumberFieldProps) {
  return (
    <label class="number">
      {label}
      <input
        type="number"
        min={least}
        step={step}
        value={setting.value}
        onChange={({ currentTarget }) => {
          if (currentTarget.checkValidity() && currentTarget.value !== "") setting.value = currentTarget.valueAsNumber;
          else currentTarget.value = String(setting.value);
        }}
      />
    </label>
  );
}
