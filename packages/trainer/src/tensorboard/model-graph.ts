import type { layers, LayersModel } from "@tensorflow/tfjs-layers";

/** A model's layers as a GraphDef for TensorBoard's graph dashboard; dots of layer names become its nested scopes. */
export function modelGraph(model: LayersModel): object {
  const scoped = (layer: layers.Layer) => layer.name.replaceAll(".", "/");
  const node = model.layers.map((layer) => ({
    name: scoped(layer),
    op: layer.getClassName(),
    input: layer.inboundNodes.flatMap((inbound) => inbound.inboundLayers.map(scoped)),
    attr: { _output_shapes: { list: { shape: shapes(layer) } } },
  }));
  return { node, versions: { producer: 22 } };
}

function shapes(layer: layers.Layer): object[] {
  const all = layer.outputShape;
  const list = (Array.isArray(all[0]) ? all : [all]) as (number | null)[][];
  return list.map((shape) => ({ dim: shape.map((size) => ({ size: size ?? -1 })) }));
}
