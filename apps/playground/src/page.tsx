import { render } from "preact";
import { App } from "./app.tsx";
import { startComputing } from "./computing.ts";

render(<App />, document.querySelector("#page")!);
void startComputing();
// Browsers give no service worker to a page over plain HTTP that is not on this machine; it works there while there is a network.
void navigator.serviceWorker?.register("service-worker.js").catch(() => undefined);
