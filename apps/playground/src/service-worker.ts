// Keeps the page's files, so that it opens without a network after the first time.
declare const FILES: readonly string[];
declare const VERSION: string;

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener<Name extends "install" | "activate" | "fetch">(
    name: Name,
    listen: (event: Name extends "fetch" ? FetchEvent : ExtendableEvent) => void,
  ): void;
}
const scope = globalThis as unknown as Scope;

const cacheName = `convkit-playground-${VERSION}`;
/** MobileNet's weights, which are kept once they have been used, whatever the version of the page. */
const weightsName = "convkit-playground-weights";

scope.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll(["./", ...FILES]))
      .then(() => scope.skipWaiting()),
  );
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name !== cacheName && name !== weightsName))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => scope.clients.claim()),
  );
});

scope.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (!["GET", "HEAD"].includes(method) || !url.startsWith(scope.registration.scope)) return;
  event.respondWith(answer(event.request));
});

async function answer(request: Request): Promise<Response> {
  const kept = await caches.match(request, { ignoreSearch: true, ignoreMethod: true });
  if (kept !== undefined) return request.method === "HEAD" ? new Response(undefined, kept) : kept;
  const response = await fetch(request);
  if (response.ok && request.method === "GET" && new URL(request.url).pathname.includes("/weights/")) {
    const cache = await caches.open(weightsName);
    await cache.put(request, response.clone());
  }
  return response;
}
