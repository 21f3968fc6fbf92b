import type { ServedModel } from "../models/served-model.ts";

/** A page for people: the models, and how to ask them. */
export function page(models: readonly ServedModel[]): string {
  const rows = models.map(({ name, version, inputs, outputs, description: { runtime, precision } }) =>
    [name, version, shapesOf(inputs), shapesOf(outputs), `${runtime}, ${precision}`]
      .map((cell) => `<td>${escaped(String(cell))}</td>`)
      .join(""),
  );
  const first = escaped(models[0]?.name ?? "NAME");
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>convkit serve</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}td,th{text-align:left;padding:.2rem 1rem .2rem 0}pre{background:#8882;padding:.6rem;overflow:auto}</style>
<h1>convkit serve</h1>
<table><tr><th>model<th>version<th>inputs<th>outputs<th>computed by</tr>${rows.map((row) => `<tr>${row}</tr>`).join("")}</table>
<p>Classes of an image:</p><pre>curl --data-binary @photo.jpg http://…/classify/${first}?top=3</pre>
<p>Tensors, as TensorFlow Serving takes them:</p><pre>curl -d '{"instances": [ … ]}' http://…/v1/models/${first}:predict</pre>
<p>The Open Inference Protocol is at <code>/v2</code>. <a href="/openapi.json">OpenAPI</a>, <a href="/metrics">metrics</a>.</p>
</html>
`;
}

function shapesOf(ports: ServedModel["inputs"]): string {
  return ports.map(({ name, shape }) => `${name} ${shape.map((size) => size ?? "any").join("x")}`).join(", ");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
