/** An attribute of a kernel as a list: of one number, or of several. */
export const numbers = (value: unknown): number[] => [value].flat() as number[];
/** An axis counted from the front. */
export const front = (axis: unknown, rank: number): number => (Number(axis) < 0 ? Number(axis) + rank : Number(axis));
