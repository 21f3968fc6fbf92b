import { signal } from "@preact/signals";
import { Collect } from "./collect/collect.tsx";
import { EngineChoice } from "./engine-choice.tsx";
import { Look } from "./look/look.tsx";
import { notice } from "./notice.ts";
import { Download } from "./teach/download.tsx";
import { Train } from "./teach/train.tsx";
import { Try } from "./teach/try.tsx";

const views = { teach: "Teach a network", look: "Look into a file" } as const;
type View = keyof typeof views;

const view = signal(viewOf(location.hash));
addEventListener("hashchange", () => (view.value = viewOf(location.hash)));

function viewOf(hash: string): View {
  return hash === "#look" ? "look" : "teach";
}

/** The whole page. */
export function App() {
  return (
    <>
      <header>
        <h1>convkit playground</h1>
        <p>Everything is computed in this page. Nothing leaves your machine.</p>
        <nav aria-label="Views">
          {(Object.keys(views) as View[]).map((name) => (
            <a key={name} href={`#${name}`} aria-current={view.value === name ? "page" : undefined}>
              {views[name]}
            </a>
          ))}
        </nav>
      </header>
      <div role="alert" class={notice.value === "" ? "" : "notice"}>
        {notice.value !== "" && (
          <>
            <p>{notice.value}</p>
            <button type="button" class="quiet" onClick={() => (notice.value = "")}>
              Close
            </button>
          </>
        )}
      </div>
      <main>
        <div hidden={view.value !== "teach"}>
          <Collect />
          <Train />
          <Try />
          <Download />
        </div>
        <div hidden={view.value !== "look"}>
          <Look />
        </div>
      </main>
      <footer>
        <EngineChoice />
      </footer>
    </>
  );
}
