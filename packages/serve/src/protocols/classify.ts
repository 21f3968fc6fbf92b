import type { Hono } from "hono";
import {
  answerJson,
  checkContentType,
  modelOf,
  withBody,
  type Environment,
  type Exchange,
  type Services,
} from "../http/exchange.ts";
import { RequestError } from "../http/request-error.ts";
import type { ServedModel } from "../models/served-model.ts";
import { mostImages } from "./tensor.ts";

/** `POST /classify/NAME`: the bytes of an image, or images as `multipart/form-data`, to names and percentages. */
export function addClassify(app: Hono<Environment>, services: Services): void {
  for (const path of ["/classify/:name", "/classify/:name/versions/:version"] as const) {
    app.post(path, (exchange) => {
      exchange.var.facts.protocol = "classify";
      return classify(exchange, services, modelOf(exchange, services, exchange.req.param()));
    });
  }
}

async function classify(exchange: Exchange, services: Services, model: ServedModel): Promise<Response> {
  checkContentType(
    exchange,
    /^(image\/.+|application\/octet-stream|multipart\/form-data)$/,
    "the bytes of an image (image/*, application/octet-stream) or multipart/form-data",
  );
  const top = topOf(exchange.req.query("top"));
  const type = exchange.req.header("content-type") ?? "";
  return withBody(exchange, services, model, async (bytes) => {
    const about = { model: model.name, version: model.version };
    const { signal } = exchange.var;
    if (!/^multipart\//i.test(type)) {
      if (bytes.length === 0) throw new RequestError(400, "Expected the bytes of an image, got an empty body.");
      return answerJson(exchange, services, { ...about, predictions: await model.classify(bytes, top, signal) });
    }
    const files = await filesOf(bytes, type);
    const images = await Promise.all(
      files.map(async ({ name, content }) => ({
        name,
        predictions: await named(model.classify(content, top, signal), name),
      })),
    );
    return answerJson(exchange, services, { ...about, images });
  });
}

/** The same promise; its error names the file. */
async function named<T>(work: Promise<T>, name: string): Promise<T> {
  return work.catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "CONVKIT_DATA")
      throw new RequestError(400, `${name.slice(0, 80)}: ${error.message}`);
    throw error;
  });
}

async function filesOf(
  bytes: Buffer,
  type: string,
): Promise<{ readonly name: string; readonly content: Uint8Array }[]> {
  const form = await new Response(new Uint8Array(bytes), { headers: { "Content-Type": type } }).formData().catch(() => {
    throw new RequestError(400, "The body is not multipart/form-data, as Content-Type says.");
  });
  const files = [...form.values()].filter((value) => typeof value !== "string");
  if (files.length < 1 || files.length > mostImages)
    throw new RequestError(400, `Expected 1 to ${mostImages} files in the form, got ${files.length}.`);
  return Promise.all(
    files.map(async (file) => ({ name: file.name, content: new Uint8Array(await file.arrayBuffer()) })),
  );
}

function topOf(text = "5"): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new RequestError(400, `top: expected a whole number from 1, got "${text.slice(0, 40)}".`);
}
