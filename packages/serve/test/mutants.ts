import { gzipSync } from "node:zlib";

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A request that is wrong somewhere: one of `valid`, changed at one to three places. */
export function mutant(valid: readonly WireRequest[], random: () => number): WireRequest {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  let request = pick(valid);
  for (let count = 1 + Math.floor(3 * random() ** 2); count > 0; count--)
    request = pick([bytesChanged, bytesChanged, valueChanged, valueChanged, headerChanged, pathChanged, lengthChanged])(
      request,
      random,
      pick,
    );
  return request;
}

type Change = (request: WireRequest, random: () => number, pick: <T>(items: readonly T[]) => T) => WireRequest;

/** Flips, cuts out, repeats or cuts off bytes. */
const bytesChanged: Change = (request, random, pick) => {
  const body = Buffer.from(request.body);
  const [a, b] = [Math.floor(random() * body.length), Math.floor(random() * body.length)];
  const [from, to] = [Math.min(a, b), Math.max(a, b)];
  for (let i = 0; i < 1 + 20 * random() ** 3 && body.length > 0; i++)
    body[Math.floor(random() ** (random() < 0.5 ? 4 : 1) * body.length)] = Math.floor(256 * random());
  const changed = pick([
    body,
    body.subarray(0, from),
    Buffer.concat([request.body.subarray(0, from), request.body.subarray(to)]),
    Buffer.concat([request.body.subarray(0, to), request.body.subarray(from)]),
    Buffer.concat([request.body, Buffer.from(pick(["\0", "}", "]]]", "\uFEFF", "NaN"]))]),
  ]);
  return { ...request, body: changed };
};

const strange = [
  "null", "true", "-1", "0", "1e999", "-1e999", "1e39", "NaN", "Infinity", '"x"', '"\\u0000"', "[]", "{}", "[[]]", "[null]", "1.5",
  "9007199254740993", '{"b64":"AAAA"}', '{"__proto__":{"a":1}}', '{"constructor":1}', '"__proto__"', "[1,[2]]", "4294967296", "[-1,3]",
  `${"[".repeat(5000)}${"]".repeat(5000)}`, `[${"0,".repeat(5000)}0]`, '"FP64"', '"FP32"', "[1e5,1e5,1e5]", "[0,3]", "[65536,65536]",
]; // prettier-ignore

/** Puts a strange value where JSON has one. */
const valueChanged: Change = (request, random, pick) => {
  const text = request.body.toString("latin1");
  const places = [...text.slice(0, 20_000).matchAll(/"[^"]*"|-?\d[\d.eE+-]*|true|false|\[|\{/g)];
  if (places.length === 0) return request;
  // The first places are the structure.
  const place = places[Math.floor(random() ** (random() < 0.7 ? 5 : 1) * places.length)]!;
  const rest = text.slice(place.index + place[0].length);
  return { ...request, body: Buffer.from(text.slice(0, place.index) + pick(strange) + rest, "latin1") };
};

const headerChanged: Change = (request, random, pick) => {
  const [name, values] = pick([
    ["content-type", ["text/html", "image/png", "multipart/form-data", "multipart/form-data; boundary=", "application/json; charset=utf-16", "application/xml", "a/b/c", ";;;"]],
    ["content-encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity", "__proto__", ""]],
    ["inference-header-content-length", ["0", "1", "-1", "abc", "1e9", "99999999999999999999", String(Math.floor(random() * request.body.length)), ""]],
    ["authorization", ["Bearer", "Bearer x", "Basic eDp5", "\xff"]],
    ["expect", ["100-continue"]],
    ["range", ["bytes=0-5"]],
    ["accept-encoding", ["*;q=0"]],
    ["x-long", ["y".repeat(4000)]],
  ] as const); // prettier-ignore
  const value = pick(values as readonly string[]);
  const body =
    name === "content-encoding" && value === "gzip" && random() < 0.5 ? gzipSync(request.body) : request.body;
  return { ...request, headers: { ...request.headers, [name]: value }, body };
};

const pathChanged: Change = (request, random, pick) => {
  const at = Math.floor(random() * request.path.length);
  const path = pick([
    request.path.slice(0, 1 + at),
    `${request.path.slice(0, 1 + at)}${pick(["/", "%00", "%E0%A4%A", "..", "%2e%2e%2f", ":predict", "?top=", "versions/0", "%", "é".normalize("NFD"), "//"])}${request.path.slice(1 + at)}`,
    request.path.replace(
      /colors|both/,
      pick(["__proto__", "constructor", "toString", "Colors", "a".repeat(3000), "%20", "colors%3Apredict"]),
    ),
    `${request.path}${pick(["?top=0", "?top=-1", "?top=1e9", "?top=5&top=6", "?top=999999", "#x", "?%"])}`,
    request.path.replace(/$/, "/versions/99999999999999999999/infer"),
  ]);
  const method = random() < 0.2 ? pick(["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"]) : request.method;
  return { ...request, path: encodeURI(decodeLoosely(path)), method };
};

function decodeLoosely(path: string): string {
  // encodeURI would write % as %25.
  return path.replaceAll("%25", "%").replaceAll(/[^\x21-\x7e]/g, "~");
}

/** Says another length than the body has: the rest never comes, or is garbage behind the request. */
const lengthChanged: Change = (request, random) => {
  const length = Math.max(0, request.body.length + Math.floor((random() - 0.7) * 50));
  return { ...request, headers: { ...request.headers, "content-length": String(length) } };
};
