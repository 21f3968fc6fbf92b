import type { KernelCall, RecordedTensor } from "./record.ts";

/** What the writers of all formats have of a kernel: the call, and the name of each input in the file. */
interface Inputs {
  readonly call: KernelCall;
  input(name: string): string;
}

/** The only input of a kernel, whatever its name is. */
export const only = ({ call, input }: Inputs): string => input(Object.keys(call.inputs)[0]!);
/** The first input as it was recorded. */
export const firstTensor = ({ call }: Pick<Inputs, "call">): RecordedTensor => Object.values(call.inputs)[0]!;
/** All inputs, in their order. */
export const all = ({ call, input }: Inputs): string[] => Object.keys(call.inputs).map(input);
/** The rank of the first input. */
export const rankOf = (writing: Pick<Inputs, "call">): number => firstTensor(writing).shape.length;
