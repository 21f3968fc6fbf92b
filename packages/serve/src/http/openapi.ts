import { datatypeNames } from "../protocols/datatypes.ts";
import { serverVersion } from "../server-version.ts";

const tensors = { type: "array", items: {}, description: "Nested arrays of numbers." };
const named = { type: "object", additionalProperties: tensors };

const schemas = {
  Error: { type: "object", required: ["error"], properties: { error: { type: "string" } } },
  Predict: {
    type: "object",
    description:
      'Either instances, one value a row, or inputs, with the rows inside. Images may be {"b64": …}, a file in base64.',
    properties: {
      signature_name: { type: "string", enum: ["", "serving_default"] },
      instances: { type: "array", minItems: 1, items: {} },
      inputs: { anyOf: [tensors, named] },
    },
  },
  Infer: {
    type: "object",
    required: ["inputs"],
    properties: {
      id: { type: "string" },
      model_name: { type: "string" },
      model_version: { type: "string" },
      parameters: { type: "object", properties: { binary_data_output: { type: "boolean" } } },
      inputs: {
        type: "array",
        minItems: 1,
        items: {
          type: "object",
          required: ["name", "shape", "datatype"],
          properties: {
            name: { type: "string" },
            shape: { type: "array", items: { type: "integer", minimum: 0 } },
            datatype: { type: "string", enum: [...datatypeNames, "BYTES"] },
            parameters: { type: "object", properties: { binary_data_size: { type: "integer" } } },
            data: tensors,
          },
        },
      },
      outputs: {
        type: "array",
        items: {
          type: "object",
          required: ["name"],
          properties: {
            name: { type: "string" },
            parameters: {
              type: "object",
              properties: { binary_data: { type: "boolean" }, classification: { type: "integer", minimum: 1 } },
            },
          },
        },
      },
    },
  },
  Prediction: {
    type: "object",
    properties: {
      index: { type: "integer" },
      label: { type: "string" },
      probability: { type: "number" },
      percent: { type: "string" },
    },
  },
};

const json = (schema: object) => ({ "application/json": { schema } });
const reference = (name: keyof typeof schemas) => ({ $ref: `#/components/schemas/${name}` });
const failure = (description: string) => ({ description, content: json(reference("Error")) });
const failures = {
  400: failure("The request is wrong; the sentence says why."),
  404: failure("There is no such model or version."),
  408: { description: "The request came too slowly." },
  413: failure("The body is too large."),
  415: failure("The body says it is something else."),
  503: failure("Too many requests, or the models still load: again after Retry-After."),
  504: failure("The answer took too long."),
};

/** The parameters in a path such as `/v2/models/{name}`. */
function parametersOf(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: name === "version" ? { type: "integer", minimum: 1 } : { type: "string" },
  }));
}

function get(path: string, summary: string): object {
  return { [path]: { get: { summary, parameters: parametersOf(path), responses: { 200: { description: "Done." } } } } };
}

function post(path: string, summary: string, content: object, extra: readonly object[] = []): object {
  const parameters = [...parametersOf(path), ...extra];
  const responses = { 200: { description: "Done." }, ...failures };
  return { [path]: { post: { summary, parameters, requestBody: { required: true, content }, responses } } };
}

/** Both paths of something about a model: of its largest version, and of one version. */
function ofModel(build: (path: string) => object, before: string, after = ""): object {
  return { ...build(`${before}/{name}${after}`), ...build(`${before}/{name}/versions/{version}${after}`) };
}

/** The same, and by a label of a version. */
function ofLabeled(build: (path: string) => object, after = ""): object {
  return { ...ofModel(build, "/v1/models", after), ...build(`/v1/models/{name}/labels/{label}${after}`) };
}

/** The API in OpenAPI 3.1. */
export function openApi(needsToken: boolean): object {
  const bytes = { schema: { type: "string", format: "binary" } };
  const infer = { ...json(reference("Infer")), "application/octet-stream": bytes };
  const images = {
    "image/*": bytes,
    "application/octet-stream": bytes,
    "multipart/form-data": { schema: { type: "object", additionalProperties: bytes.schema } },
  };
  const top = { name: "top", in: "query", schema: { type: "integer", minimum: 1, default: 5 } };
  return {
    openapi: "3.1.0",
    info: { title: "convkit serve", version: serverVersion },
    ...(needsToken && { security: [{ token: [] }] }),
    paths: {
      ...get("/v1/models", "The names of the models."),
      ...ofLabeled((path) => get(path, "The state of a model's versions.")),
      ...ofLabeled((path) => get(path, "The inputs and outputs of a model."), "/metadata"),
      ...ofLabeled(
        (path) => post(path, "Predicts, as TensorFlow Serving does.", json(reference("Predict"))),
        ":predict",
      ),
      ...get("/v2", "The server."),
      ...get("/v2/health/live", "200 while the server runs."),
      ...get("/v2/health/ready", "200 once all models are warm, else 503."),
      ...ofModel((path) => get(path, "The inputs and outputs of a model."), "/v2/models"),
      ...ofModel((path) => get(path, "200 once the model is warm."), "/v2/models", "/ready"),
      ...ofModel((path) => post(path, "Predicts by the Open Inference Protocol.", infer), "/v2/models", "/infer"),
      ...ofModel((path) => post(path, "Names and percentages of the classes of images.", images, [top]), "/classify"),
      ...get("/metrics", "Counts and times in Prometheus' text format."),
      "/reload": {
        post: {
          summary: "Loads changed models; needs a token.",
          responses: { 200: { description: "Done." }, 403: failure("The server has no token.") },
        },
      },
    },
    components: { schemas, ...(needsToken && { securitySchemes: { token: { type: "http", scheme: "bearer" } } }) },
  };
}
