import type { Hono } from "hono";
import {
  answerTensors,
  checkContentType,
  modelOf,
  withBody,
  type Environment,
  type Exchange,
  type Services,
} from "../http/exchange.ts";
import { RequestError } from "../http/request-error.ts";
import type { ServedModel } from "../models/served-model.ts";
import type { Port } from "./open-inference-body.ts";

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
  app.get("/v1/models/:name/metadata", (exchange) =>
    exchange.json(metadataOf(modelOf(exchange, services, exchange.req.param()))),
  );
  app.post("/v1/models/:call", (exchange) => {
    const name = predicted(exchange.req.param("call"));
    return predict(exchange, services, modelOf(exchange, services, { name }));
  });
  for (const kind of ["version", "label"] as const) {
    const path = `/v1/models/:name/${kind}s/` as const;
    const find = (exchange: Exchange, which: string): ServedModel =>
      modelOf(exchange, services, { name: exchange.req.param("name")!, [kind]: which });
    app.get(`${path}:which`, (exchange) => exchange.json(statusOf([find(exchange, exchange.req.param("which"))])));
    app.get(`${path}:which/metadata`, (exchange) =>
      exchange.json(metadataOf(find(exchange, exchange.req.param("which")))),
    );
    app.post(`${path}:call`, (exchange) =>
      predict(exchange, services, find(exchange, predicted(exchange.req.param("call")))),
    );
  }
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
    const { format, inputs } = await services.json.readPredict(bytes, names);
    const values = await model.predict(inputs, exchange.var.signal);
    const tensors = values.map(({ data, shape }, i) => ({ name: model.outputs[i]!.name, data, shape }));
    return answerTensors(exchange, services, { kind: format === "row" ? "predictions" : "outputs", tensors });
  });
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
  const infos = (ports: readonly Port[]) => Object.fromEntries(ports.map((port) => [port.name, infoOf(port)]));
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

function infoOf({ name, shape }: Port): object {
  const dim = shape.map((size) => ({ size: String(size ?? -1), name: "" }));
  return { dtype: "DT_FLOAT", tensor_shape: { dim, unknown_rank: false }, name };
}
