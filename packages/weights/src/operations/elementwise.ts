import * as tf from "@tensorflow/tfjs-core";
import type { Operations, Run } from "./operation.ts";
import type { Values } from "./values.ts";

/** The two operands. Either may be a constant, which takes the type of the other. */
function both(v: Values): [tf.Tensor, tf.Tensor] {
  const [a, b] = [v.get("x1"), v.get("x2")];
  const typeOf = (value: unknown): string | undefined => (value instanceof tf.Tensor ? value.dtype : undefined);
  const isWhole = (value: unknown): boolean => [value].flat(9).every((part) => Number.isInteger(part));
  const like = (other: unknown, own: unknown): string => {
    const type = typeOf(other) ?? "float32";
    return type === "int32" && !isWhole(own) ? "float32" : type === "bool" ? "float32" : type;
  };
  return [v.tensorOf(a, "x1", like(b, a)), v.tensorOf(b, "x2", like(a, b))];
}

const binary = (run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): [string, Run] => ["x1 x2", (v) => run(...both(v))];
const unary = (run: (x: tf.Tensor) => tf.Tensor): [string, Run] => ["x", (v) => run(v.tensor("x"))];
const float = (x: tf.Tensor): tf.Tensor => (x.dtype === "float32" ? x : tf.cast(x, "float32"));

function hardSigmoid(x: tf.Tensor): tf.Tensor {
  return tf.div(tf.clipByValue(tf.add(x, 3), 0, 6), 6);
}

/**
 * Soft shrink if `moved`, else hard shrink: 0 between -threshold and threshold. Soft shrink also moves other values
 * towards 0.
 */
const shrink = (x: tf.Tensor, threshold: number, moved: boolean): tf.Tensor =>
  moved
    ? tf.sub(x, tf.clipByValue(x, -threshold, threshold))
    : tf.where(tf.greater(tf.abs(x), threshold), x, tf.zerosLike(x));

/** Elementwise functions. */
export const elementwise: Operations = {
  add: binary(tf.add),
  addv2: binary(tf.add),
  subtract: binary(tf.sub),
  multiply: binary(tf.mul),
  truedivide: binary((a, b) => tf.div(float(a), float(b))),
  divide: binary((a, b) => tf.div(float(a), float(b))),
  floordivide: binary((a, b) => tf.floor(tf.div(float(a), float(b)))),
  truncdivide: binary((a, b) => truncated(tf.div(float(a), float(b)))),
  multiplynonan: binary((a, b) => tf.where(tf.equal(b, 0), tf.zerosLike(tf.add(a, b)), tf.mul(a, b))),
  xlogy: binary((a, b) => tf.where(tf.equal(a, 0), tf.zerosLike(tf.add(a, b)), tf.mul(a, tf.log(b)))),
  addn: ["xs", (v) => tf.addN(v.tensors("xs"))],
  clipbynorm: [
    "x clip_norm axes",
    (v) => {
      const x = v.tensor("x");
      const length = tf.sqrt(tf.sum(tf.square(x), v.axes("axes", x.rank), true));
      const most = v.number("clip_norm", 1);
      return tf.div(tf.mul(x, most), tf.maximum(length, most));
    },
  ],
  dividenonan: binary((a, b) => tf.divNoNan(a, b)),
  mod: binary(tf.mod),
  power: binary(tf.pow),
  maximum: binary(tf.maximum),
  minimum: binary(tf.minimum),
  squareddifference: binary(tf.squaredDifference),
  arctan2: binary(tf.atan2),
  fmod: binary((a, b) => tf.sub(a, tf.mul(truncated(tf.div(a, b)), b))),
  hypot: binary((a, b) => tf.sqrt(tf.add(tf.square(a), tf.square(b)))),
  logaddexp: binary((a, b) => tf.add(tf.maximum(a, b), tf.log1p(tf.exp(tf.neg(tf.abs(tf.sub(a, b))))))),
  heaviside: binary((a, b) =>
    tf.where(tf.equal(a, 0), tf.add(tf.zerosLike(a), b), tf.cast(tf.greater(a, 0), "float32")),
  ),
  isclose: [
    "x1 x2 rtol atol equal_nan",
    (v) => {
      const [a, b] = both(v);
      const most = tf.add(tf.mul(tf.abs(b), v.number("rtol", 1e-5)), v.number("atol", 1e-8));
      return tf.lessEqual(tf.abs(tf.sub(a, b)), most);
    },
  ],
  greater: binary(tf.greater),
  greaterequal: binary(tf.greaterEqual),
  less: binary(tf.less),
  lessequal: binary(tf.lessEqual),
  equal: binary(tf.equal),
  notequal: binary(tf.notEqual),
  logicaland: binary((a, b) => tf.logicalAnd(tf.cast(a, "bool"), tf.cast(b, "bool"))),
  logicalor: binary((a, b) => tf.logicalOr(tf.cast(a, "bool"), tf.cast(b, "bool"))),
  logicalxor: binary((a, b) => tf.logicalXor(tf.cast(a, "bool"), tf.cast(b, "bool"))),
  logicalnot: unary((x) => tf.logicalNot(tf.cast(x, "bool"))),

  identity: unary((x) => tf.clone(x)),
  stopgradient: unary((x) => tf.clone(x)),
  absolute: unary(tf.abs),
  abs: unary(tf.abs),
  negative: unary(tf.neg),
  square: unary(tf.square),
  sqrt: unary(tf.sqrt),
  rsqrt: unary(tf.rsqrt),
  reciprocal: unary(tf.reciprocal),
  exp: unary(tf.exp),
  expm1: unary(tf.expm1),
  log: unary(tf.log),
  log1p: unary(tf.log1p),
  log2: unary((x) => tf.mul(tf.log(x), Math.LOG2E)),
  log10: unary((x) => tf.mul(tf.log(x), Math.LOG10E)),
  exp2: unary((x) => tf.exp(tf.mul(x, Math.LN2))),
  cbrt: unary((x) => tf.mul(tf.sign(x), tf.pow(tf.abs(x), 1 / 3))),
  fabs: unary(tf.abs),
  conjugate: unary((x) => tf.clone(x)),
  real: unary((x) => tf.clone(x)),
  deg2rad: unary((x) => tf.mul(x, Math.PI / 180)),
  rad2deg: unary((x) => tf.mul(x, 180 / Math.PI)),
  sinc: unary((x) => {
    const angle = tf.mul(x, Math.PI);
    const isZero = tf.equal(x, 0);
    return tf.where(isZero, tf.onesLike(x), tf.div(tf.sin(angle), tf.where(isZero, tf.onesLike(x), angle)));
  }),
  signbit: unary((x) => tf.less(x, 0)),
  floor: unary(tf.floor),
  trunc: unary(truncated),
  ceil: unary(tf.ceil),
  round: [
    "x decimals",
    (v) => {
      const scale = 10 ** v.number("decimals", 0);
      return tf.div(tf.round(tf.mul(v.tensor("x"), scale)), scale);
    },
  ],
  sign: unary(tf.sign),
  sin: unary(tf.sin),
  cos: unary(tf.cos),
  tan: unary(tf.tan),
  sinh: unary(tf.sinh),
  cosh: unary(tf.cosh),
  tanh: unary(tf.tanh),
  arcsin: unary(tf.asin),
  arccos: unary(tf.acos),
  arctan: unary(tf.atan),
  arcsinh: unary(tf.asinh),
  arccosh: unary(tf.acosh),
  arctanh: unary(tf.atanh),
  erf: unary(tf.erf),
  nantonum: [
    "x nan posinf neginf",
    (v) => {
      const x = v.tensor("x");
      const filled = tf.where(tf.isNaN(x), tf.fill(x.shape, v.number("nan", 0)), x);
      return tf.clipByValue(filled, v.number("neginf", -3.4028235e38), v.number("posinf", 3.4028235e38));
    },
  ],
  isnan: unary(tf.isNaN),
  isinf: unary(tf.isInf),
  isfinite: unary(tf.isFinite),
  isneginf: unary((x) => tf.logicalAnd(tf.isInf(x), tf.less(x, 0))),
  isposinf: unary((x) => tf.logicalAnd(tf.isInf(x), tf.greater(x, 0))),
  erfc: unary((x) => tf.sub(1, tf.erf(x))),
  copy: unary((x) => tf.clone(x)),
  zeroslike: unary(tf.zerosLike),
  fulllike: ["x fill_value", (v) => tf.add(tf.zerosLike(v.tensor("x")), v.tensor("fill_value", v.tensor("x").dtype))],
  oneslike: unary(tf.onesLike),

  relu: unary(tf.relu),
  relu6: unary((x) => tf.clipByValue(x, 0, 6)),
  sigmoid: unary(tf.sigmoid),
  silu: ["x beta", (v) => tf.mul(v.tensor("x"), tf.sigmoid(tf.mul(v.tensor("x"), v.number("beta", 1))))],
  crelu: [
    "x axis",
    (v) => {
      const x = v.tensor("x");
      return tf.relu(tf.concat([x, tf.neg(x)], v.axis("axis", x.rank, -1)));
    },
  ],
  softplus: unary(tf.softplus),
  softsign: unary((x) => tf.div(x, tf.add(tf.abs(x), 1))),
  selu: unary(tf.selu),
  glu: [
    "x axis",
    (v) => {
      const x = v.tensor("x");
      const [a, b] = tf.split(x, 2, v.axis("axis", x.rank, -1));
      return tf.mul(a!, tf.sigmoid(b!));
    },
  ],
  elu: ["x alpha", (v) => scaledElu(v.tensor("x"), v.number("alpha", 1), 1)],
  celu: ["x alpha", (v) => scaledElu(v.tensor("x"), v.number("alpha", 1), v.number("alpha", 1))],
  leakyrelu: ["x negative_slope", (v) => tf.leakyRelu(v.tensor("x"), v.number("negative_slope", 0.2))],
  threshold: [
    "x threshold default_value",
    (v) => {
      const x = v.tensor("x");
      return tf.where(tf.greater(x, v.number("threshold", 0)), x, tf.fill(x.shape, v.number("default_value", 0)));
    },
  ],
  gelu: [
    "x approximate",
    (v) => {
      const x = v.tensor("x");
      if (!v.flag("approximate", true)) return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
      const inner = tf.mul(tf.add(x, tf.mul(tf.pow(x, 3), 0.044715)), Math.sqrt(2 / Math.PI));
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
    },
  ],
  hardsigmoid: unary(hardSigmoid),
  hardsilu: unary((x) => tf.mul(x, hardSigmoid(x))),
  hardswish: unary((x) => tf.mul(x, hardSigmoid(x))),
  hardtanh: unary((x) => tf.clipByValue(x, -1, 1)),
  // A bias moves the values that stay towards 0.
  hardshrink: [
    "x threshold bias",
    (v) => {
      const x = v.tensor("x");
      const [y, bias] = [shrink(x, v.number("threshold", 0.5), false), v.number("bias", 0)];
      return bias === 0 ? y : tf.sub(y, tf.mul(tf.sign(y), bias));
    },
  ],
  swishof: ["x alpha", (v) => tf.mul(v.tensor("x"), tf.sigmoid(tf.mul(v.tensor("x"), v.number("alpha", 1))))],
  softshrink: ["x threshold", (v) => shrink(v.tensor("x"), v.number("threshold", 0.5), true)],
  tanhshrink: unary((x) => tf.sub(x, tf.tanh(x))),
  squareplus: [
    "x b",
    (v) => {
      const x = v.tensor("x");
      return tf.div(tf.add(x, tf.sqrt(tf.add(tf.square(x), v.number("b", 4)))), 2);
    },
  ],
  sparseplus: unary((x) => {
    const middle = tf.div(tf.square(tf.add(x, 1)), 4);
    return tf.where(tf.lessEqual(x, -1), tf.zerosLike(x), tf.where(tf.less(x, 1), middle, x));
  }),
  sparsesigmoid: unary((x) => tf.clipByValue(tf.div(tf.add(x, 1), 2), 0, 1)),
  logsigmoid: unary(tf.logSigmoid),
  mish: unary((x) => tf.mul(x, tf.tanh(tf.softplus(x)))),

  clip: [
    "x x_min x_max",
    (v) => {
      const x = v.tensor("x");
      const above = v.get("x_min") === undefined ? x : tf.maximum(x, v.tensor("x_min", x.dtype));
      return v.get("x_max") === undefined ? above : tf.minimum(above, v.tensor("x_max", x.dtype));
    },
  ],
  converttotensor: [
    "x dtype sparse ragged",
    (v) => {
      const x = v.tensor("x");
      const dtype = v.word("dtype", "");
      return dtype === "" ? tf.clone(x) : tf.cast(x, typeNamed(dtype));
    },
  ],
  cast: ["x dtype", (v) => tf.cast(v.tensor("x"), typeNamed(v.word("dtype", "float32")))],
  // The first choice whose condition holds.
  select: [
    "condlist choicelist default",
    (v) => {
      const choices = v.tensors("choicelist");
      return v
        .tensors("condlist")
        .reduceRight(
          (rest: tf.Tensor, condition, i) => tf.where(tf.cast(condition, "bool"), choices[i]!, rest),
          v.get("default") === undefined ? tf.zerosLike(choices[0]!) : v.tensor("default"),
        );
    },
  ],
  where: ["condition x1 x2", (v) => tf.where(tf.cast(v.tensor("condition"), "bool"), ...both(v))],
};

function truncated(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.sign(x), tf.floor(tf.abs(x)));
}

function scaledElu(x: tf.Tensor, alpha: number, width: number): tf.Tensor {
  return tf.add(tf.relu(x), tf.mul(tf.minimum(tf.elu(width === 1 ? x : tf.div(x, width)), 0), alpha));
}

/** tfjs' type for a type of TensorFlow. tfjs has one float type and one integer type. */
function typeNamed(name: string): "float32" | "int32" | "bool" {
  if (name === "bool") return "bool";
  return /^u?int/.test(name) ? "int32" : "float32";
}
