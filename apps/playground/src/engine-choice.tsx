import { engine, engineChoice, startComputing } from "./computing.ts";
import type { EngineChoice as Choice, EngineReport } from "./compute/compute.ts";
import { report } from "./teach/training.ts";

const names: Readonly<Record<EngineReport["name"], string>> = { webgpu: "WebGPU", webgl: "WebGL", wasm: "WebAssembly" };

/** What computes, and a way to take something else. */
export function EngineChoice() {
  return (
    <div class="row">
      <label>
        Engine{" "}
        <select
          value={engineChoice.value}
          disabled={report.value !== undefined}
          onChange={({ currentTarget }) => {
            engineChoice.value = currentTarget.value as Choice;
            void startComputing();
          }}
        >
          <option value="auto">the fastest</option>
          {Object.entries(names).map(([name, text]) => (
            <option key={name} value={name}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <span role="status">{statusText()}</span>
    </div>
  );
}

function statusText(): string {
  if (engine.value === undefined) return "The engine has not started.";
  const { name, threads, notice } = engine.value;
  const withThreads = threads > 1 ? ` with ${threads} threads` : "";
  return `Computes on ${names[name]}${withThreads}. ${notice}`;
}
