import type { Feed, Values } from "@convkit/graph";

/** The inputs of a request, one after the other, as one batch; bytes stay bytes. `rows` more than there are become zeros. */
export function stackRows(requests: readonly (readonly Feed[])[], rows: number): Feed[] {
  return requests[0]!.map((first, input) => {
    const parts = requests.map((feeds) => feeds[input]!);
    const shape = [rows, ...first.shape.slice(1)];
    if (parts.length === 1 && first.shape[0] === rows) return first;
    const areBytes = parts.every(({ data }) => data instanceof Uint8Array);
    const data = new (areBytes ? Uint8Array : Float32Array)(shape.reduce((product, size) => product * size, 1));
    let from = 0;
    for (const part of parts) {
      data.set(part.data, from);
      from += part.data.length;
    }
    return { data, shape };
  });
}

/** `count` rows of every tensor from the row `from`; a view. */
export function sliceRows<T extends Feed | Values>(tensors: readonly T[], from: number, count: number): T[] {
  return tensors.map((tensor) => {
    const { data, shape } = tensor;
    const [rows = 1, ...rest] = shape;
    const size = data.length / rows;
    return { ...tensor, data: data.subarray(from * size, (from + count) * size), shape: [count, ...rest] };
  });
}

/** The outputs of a request that was computed in parts. */
export function joinRows(parts: readonly (readonly Values[])[]): Values[] {
  if (parts.length === 1) return [...parts[0]!];
  return parts[0]!.map((first, output) => {
    const tensors = parts.map((part) => part[output]!);
    const rows = tensors.reduce((sum, { shape }) => sum + shape[0]!, 0);
    const data = new Float32Array(tensors.reduce((sum, tensor) => sum + tensor.data.length, 0));
    let from = 0;
    for (const tensor of tensors) {
      data.set(tensor.data, from);
      from += tensor.data.length;
    }
    return { data, shape: [rows, ...first.shape.slice(1)] };
  });
}
