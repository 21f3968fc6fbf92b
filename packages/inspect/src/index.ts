export { measuredReceptiveField } from "./receptive-field/measured-receptive-field.ts";
export type { MeasuredReceptiveField, MeasureOptions } from "./receptive-field/measured-receptive-field.ts";
