/** The place of the first value that is NaN or infinite; -1 if there is none. */
export function notFinite(values: Float32Array): number {
  // `findIndex` calls a function for every value.
  for (let place = 0; place < values.length; place++) if (!Number.isFinite(values[place])) return place;
  return -1;
}
