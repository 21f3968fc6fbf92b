import type { Values } from "@convkit/graph";
import type { Hono } from "hono";
import {
  checkContentType,
  modelOf,
  withBody,
  type Environment,
  type Exchange,
  type Services,
} from "../http/exchange.ts";
import { RequestError } from "../http/request-error.ts";
import type { ServedModel, ServedPort } from "../models/served-model.ts";
import { checkFinite, nestedValues } from "./nested-values.ts";

/** TensorFlow Serving's REST API: https://www.tensorflow.org/tfx/serving/api_rest */
export function addTensorflowServing(app: Hono<Environment>, services: Services): void {
  const { registry } = services;
  app.use("/v1/*", async (exchange, next) => {
    exchange.var.facts.protocol = "tensorflow-serving";
    await next();
  });
  app.get("/v1/models", (exchange) => exchange.json({ models: [...new Set(registry.all().map(({ name }) => name))] }));
  app.get("/v1/models/:name", (exchange) => {
    const { name } = exchange.req.param();
    return exchange.json(statusOf(registry.versionsOf(name)));
  });
  app.get("/v1/models/:name/versions/:version", (exchange) => {
    const { name, version } = exchange.req.param();
    return exchange.json(statusOf([modelOf(exchange, services, name, version)]));
  });
  const metadata = (exchange: Exchange, name: string, version?: string) =>
    exchange.json(metadataOf(modelOf(exchange, services, name, version)));
  app.get("/v1/models/:name/metadata", (exchange) => metadata(exchange, exchange.req.param("name")));
  app.get("/v1/models/:name/versions/:version/metadata", (exchange) =>
    metadata(exchange, exchange.req.param("name"), exchange.req.param("version")),
  );
  app.post("/v1/models/:call", (exchange) => {
    const name = predicted(exchange.req.param("call"));
    return predict(exchange, services, modelOf(exchange, services, name));
  });
  app.post("/v1/models/:name/versions/:call", (exchange) => {
    const version = predicted(exchange.req.param("call"));
    return predict(exchange, services, modelOf(exchange, services, exchange.req.param("name"), version));
  });
}

/** `NAME` of `NAME:predict`. */
function predicted(call: string): string {
  const [, name, verb] = /^([^:]*):([^:]*)$/.exec(call) ?? [];
  if (verb === "predict") return name!;
  if (verb === "classify" || verb === "regress")
    throw new RequestError(400, `The models have no signature for ${verb}: use predict with tensors, or /classify.`);
  throw new RequestError(404, `Expected a call such as NAME:predict, got "${call.slice(0, 80)}".`);
}

async function predict(exchange: Exchange, services: Services, model: ServedModel): Promise<Response> {
  checkContentType(exchange, /^(application\/(.+\+)?json|text\/plain|application\/octet-stream)$/, "application/json");
  return withBody(exchange, services, model, async (bytes) => {
    const names = model.inputs.map(({ name }) => name);
    const { format, inputs } = await services.parser.predict(bytes, names);
    const values = await model.predict(inputs, exchange.var.signal);
    checkFinite(values, "");
    return exchange.json(
      format === "row" ? { predictions: rowsOf(model, values) } : { outputs: columnsOf(model, values) },
    );
  });
}

/** One value a row; an object where the model has several outputs. */
function rowsOf({ outputs }: ServedModel, values: readonly Values[]): unknown {
  const columns = values.map((value) => nestedValues(value) as unknown[]);
  if (columns.length === 1) return columns[0];
  return columns[0]!.map((_, row) => Object.fromEntries(outputs.map(({ name }, i) => [name, columns[i]![row]])));
}

function columnsOf({ outputs }: ServedModel, values: readonly Values[]): unknown {
  if (values.length === 1) return nestedValues(values[0]!);
  return Object.fromEntries(outputs.map(({ name }, i) => [name, nestedValues(values[i]!)]));
}

function statusOf(models: readonly ServedModel[]): object {
  return {
    // TensorFlow Serving lists the largest version first.
    model_version_status: models.toReversed().map(({ version }) => ({
      version: String(version),
      state: "AVAILABLE",
      status: { error_code: "OK", error_message: "" },
    })),
  };
}

function metadataOf({ name, version, inputs, outputs }: ServedModel): object {
  const infos = (ports: readonly ServedPort[]) => Object.fromEntries(ports.map((port) => [port.name, infoOf(port)]));
  return {
    model_spec: { name, signature_name: "", version: String(version) },
    metadata: {
      signature_def: {
        signature_def: {
          serving_default: {
            inputs: infos(inputs),
            outputs: infos(outputs),
            method_name: "tensorflow/serving/predict",
          },
        },
      },
    },
  };
}

function infoOf({ name, shape }: ServedPort): object {
  const dim = shape.map((size) => ({ size: String(size ?? -1), name: "" }));
  return { dtype: "DT_FLOAT", tensor_shape: { dim, unknown_rank: false }, name };
}
