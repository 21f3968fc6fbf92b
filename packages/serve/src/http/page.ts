import type { ServedModel } from "../models/served-model.ts";

/** A page for people: the models, and how to ask them at `origin`. */
export function page(models: readonly ServedModel[], origin: string): string {
  const rows = models.map(({ name, version, inputs, outputs, description: { runtime, precision } }) =>
    [name, version, shapesOf(inputs), shapesOf(outputs), `${runtime}, ${precision}`]
      .map((cell) => `<td>${escaped(String(cell))}</td>`)
      .join(""),
  );
  const first = escaped(models[0]?.name ?? "NAME");
  const at = escaped(origin);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>convkit serve</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}td,th{text-align:left;padding:.2rem 1rem .2rem 0}pre{background:#8882;padding:.6rem}pre,div{overflow:auto}</style>
<h1>convkit serve</h1>
<div tabindex="0"><table><tr><th>model<th>version<th>inputs<th>outputs<th>computed by</tr>${rows.map((row) => `<tr>${row}</tr>`).join("")}</table></div>
<p>Classes of an image:</p><pre tabindex="0">curl --data-binary @photo.jpg ${at}/classify/${first}?top=3</pre>
<p>Tensors, as TensorFlow Serving takes them:</p><pre tabindex="0">curl -d '{"instances": [ … ]}' ${at}/v1/models/${first}:predict</pre>
<p>The Open Inference Protocol is at <code>/v2</code>. <a href="/openapi.json">OpenAPI</a>, <a href="/metrics">metrics</a>.</p>
</html>
`;
}

function shapesOf(ports: ServedModel["inputs"]): string {
  return ports.map(({ name, shape }) => `${name} ${shape.map((size) => size ?? "any").join(" × ")}`).join(", ");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
