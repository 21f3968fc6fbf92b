/** Nodes and weights of Gauss and Legendre's rule for an integral from 0 to 1: exact for polynomials up to `2 * count - 1`. */
export function gaussLegendre(count: number): { node: number; weight: number }[] {
  return Array.from({ length: count }, (_, i) => {
    // Newton's method from the usual first guess finds each root of the Legendre polynomial.
    let x = Math.cos((Math.PI * (count - i - 0.25)) / (count + 0.5));
    let slope = 1;
    for (let round = 0; round < 100; round++) {
      const [value, derivative] = legendre(count, x);
      slope = derivative;
      const change = value / slope;
      x -= change;
      if (Math.abs(change) < 1e-15) break;
    }
    return { node: (1 + x) / 2, weight: 1 / ((1 - x * x) * slope * slope) };
  });
}

/** The Legendre polynomial of that degree, and its derivative. */
function legendre(degree: number, x: number): [value: number, derivative: number] {
  let [before, value] = [1, x];
  for (let n = 2; n <= degree; n++) [before, value] = [value, ((2 * n - 1) * x * value - (n - 1) * before) / n];
  return [value, (degree * (x * value - before)) / (x * x - 1)];
}
