import { type StepHealth, updateRatio } from "./step-health.ts";

/** A measured step as scalars and histograms of TensorBoard; values that are not finite are left out. */
export function healthEvents({ weights, activations, gradients }: StepHealth): {
  readonly scalars: Readonly<Record<string, number>>;
  readonly histograms: Readonly<Record<string, Float32Array>> | undefined;
} {
  const scalars = [
    ...weights.flatMap((weight) => [
      [`gradient_norm/${tag(weight.name)}`, weight.gradientNorm] as const,
      [`update_ratio/${tag(weight.name)}`, updateRatio(weight)] as const,
    ]),
    ...activations.flatMap(({ layer, mean, deviation, norm, dead }) => [
      [`activation_mean/${tag(layer)}`, mean] as const,
      [`activation_deviation/${tag(layer)}`, deviation] as const,
      [`activation_norm/${tag(layer)}`, norm] as const,
      ...(dead === null ? [] : [[`dead_units/${tag(layer)}`, dead] as const]),
    ]),
  ].filter(([, value]) => Number.isFinite(value));
  const histograms = gradients && Object.entries(gradients).map(([name, values]) => [`gradients/${tag(name)}`, values]);
  const underHealth = (entries: readonly (readonly unknown[])[]) =>
    Object.fromEntries(entries.map(([name, value]) => [`health/${String(name)}`, value]));
  return {
    scalars: underHealth(scalars) as Record<string, number>,
    histograms: histograms && (underHealth(histograms) as Record<string, Float32Array>),
  };
}

/** TensorBoard groups tags by the part before a slash. */
function tag(name: string): string {
  return name.replaceAll(".", "/");
}
