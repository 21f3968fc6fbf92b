import { Dropout } from "@convkit/core";
import * as tfl from "@tensorflow/tfjs-layers";
import { approximateGelu, keras3HardSigmoid } from "../../../../layers/activations.ts";
import { Power, ScaledELU } from "../../../../layers/base-layers.ts";
import { Clipped } from "../../../../layers/slicing.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../value.ts";
import { scalarOf } from "../constant.ts";
import type { ElementKind } from "../constant.ts";
import type { OnnxNode } from "../node.ts";
import type { Signal } from "../signal.ts";
import type { Read } from "./read.ts";

/** Applies a layer that changes neither shape nor order. */
export function mapped(
  builder: Builder,
  node: OnnxNode,
  x: Signal,
  make: (name: string) => tfl.layers.Layer,
  isRaw = x.isRaw,
): Signal {
  const [tensor] = builder.apply(node, make(builder.layerName(node)), [x.tensor]);
  return { ...x, tensor: tensor!, isRaw, origin: undefined };
}

export function activation(builder: Builder, node: OnnxNode, x: Signal, name: string): Signal {
  return mapped(builder, node, x, (own) => tfl.layers.activation({ name: own, activation: name as "relu" }));
}

/** An operation of the table that changes neither shape nor order. */
export function elementwise(
  builder: Builder,
  node: OnnxNode,
  x: Value,
  op: string,
  args: Readonly<Record<string, unknown>> = {},
  type?: ElementKind,
): Value {
  if (x.kind === "sizes") return builder.refuse(node, "computes with sizes that only the run knows");
  if (x.kind === "signal") {
    const [y] = builder.operation(node, op, { x, ...args }, [{ ...x, type: type ?? x.type }], x.isRaw);
    return { ...(y as Signal), origin: { op: node.op, inputs: [x] } };
  }
  const axes = x.shape.map((size) => [{ size }]);
  return builder.operation(node, op, { x, ...args }, [{ axes, physical: axes, type: type ?? x.type }])[0]!;
}

/** An activation of tfjs, or its operation where the value is constant. */
const named =
  (layer: string, op: string): Read =>
  (builder, node) => {
    const x = builder.input(node, 0);
    if (x.kind !== "signal") return elementwise(builder, node, x, op);
    return { ...activation(builder, node, x, layer), origin: { op: node.op, inputs: [x] } };
  };

const function_ =
  (op: string, type?: ElementKind): Read =>
  (builder, node) =>
    elementwise(builder, node, builder.input(node, 0), op, {}, type);

const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-6 * Math.max(1, Math.abs(b));

export const activations: Readonly<Record<string, Read>> = {
  Relu: named("relu", "relu"),
  Sigmoid: named("sigmoid", "sigmoid"),
  Tanh: named("tanh", "tanh"),
  Selu: (builder, node) => {
    const [alpha, gamma] = [
      builder.number(node, "alpha", 1.6732631921768188),
      builder.number(node, "gamma", 1.0507010221481323),
    ];
    const x = builder.signal(node);
    if (near(alpha, 1.6732631921768188) && near(gamma, 1.0507010221481323)) return activation(builder, node, x, "selu");
    const y = mapped(builder, node, x, (name) => new ScaledELU({ name, alpha }));
    return mapped(builder, node, y, (name) => tfl.layers.rescaling({ name, scale: gamma, offset: 0 } as never));
  },
  Softplus: named("softplus", "softplus"),
  Softsign: named("softsign", "softsign"),
  HardSwish: named("hardSwish", "hardswish"),
  Mish: named("mish", "mish"),
  Gelu: (builder, node) =>
    activation(
      builder,
      node,
      builder.signal(node),
      builder.word(node, "approximate", "none") === "tanh" ? approximateGelu : "gelu",
    ),
  HardSigmoid: (builder, node) => {
    const [alpha, beta] = [builder.number(node, "alpha", 0.2), builder.number(node, "beta", 0.5)];
    const x = builder.signal(node);
    const known = near(beta, 0.5)
      ? near(alpha, 1 / 6)
        ? keras3HardSigmoid
        : near(alpha, 0.2)
          ? "hardSigmoid"
          : undefined
      : undefined;
    if (known !== undefined)
      return { ...activation(builder, node, x, known), origin: { op: `HardSigmoid ${known}`, inputs: [x] } };
    const line = mapped(builder, node, x, (name) =>
      tfl.layers.rescaling({ name, scale: alpha, offset: beta } as never),
    );
    return mapped(builder, node, line, (name) => new Clipped({ name, low: 0, high: 1 }));
  },
  LeakyRelu: (builder, node) =>
    mapped(builder, node, builder.signal(node), (name) =>
      tfl.layers.leakyReLU({ name, alpha: builder.number(node, "alpha", 0.01) }),
    ),
  Elu: (builder, node) => {
    const alpha = builder.number(node, "alpha", 1);
    return mapped(builder, node, builder.signal(node), (name) =>
      alpha === 1 ? tfl.layers.elu({ name }) : new ScaledELU({ name, alpha }),
    );
  },
  Celu: (builder, node) => {
    const alpha = builder.number(node, "alpha", 1);
    return elementwise(builder, node, builder.input(node, 0), "celu", { alpha });
  },
  Swish: (builder, node) => {
    const alpha = builder.number(node, "alpha", 1);
    return alpha === 1
      ? activation(builder, node, builder.signal(node), "swish")
      : elementwise(builder, node, builder.input(node, 0), "swishof", { alpha });
  },
  ThresholdedRelu: (builder, node) =>
    mapped(builder, node, builder.signal(node), (name) =>
      tfl.layers.thresholdedReLU({ name, theta: builder.number(node, "alpha", 1) }),
    ),
  Shrink: (builder, node) => {
    const [bias, threshold] = [builder.number(node, "bias", 0), builder.number(node, "lambd", 0.5)];
    const isPlain = bias === 0 || bias === threshold;
    return elementwise(
      builder,
      node,
      builder.input(node, 0),
      bias === threshold ? "softshrink" : "hardshrink",
      isPlain ? { threshold } : { threshold, bias },
    );
  },
  Clip: (builder, node) => {
    const bound = (index: number, name: string): number | null => {
      const given = builder.optionalConstant(node, index);
      const value = given === undefined ? node.attributes[name] : scalarOf(given);
      return typeof value !== "number" || Math.abs(value) >= 3.4028234663852886e38 ? null : value;
    };
    const [low, high] = [bound(1, "min"), bound(2, "max")];
    const x = builder.input(node, 0);
    if (x.kind !== "signal")
      return elementwise(builder, node, x, "clip", { x_min: low ?? undefined, x_max: high ?? undefined });
    if (low === 0)
      return mapped(builder, node, x, (name) => tfl.layers.reLU(high === null ? { name } : { name, maxValue: high }));
    return {
      ...mapped(builder, node, x, (name) => new Clipped({ name, low, high })),
      origin: { op: "Clip", inputs: [x, low, high] },
    };
  },

  Abs: function_("abs"),
  Neg: (builder, node) => {
    const x = builder.input(node, 0);
    if (x.kind !== "signal") return elementwise(builder, node, x, "negative");
    return mapped(builder, node, x, (name) => tfl.layers.rescaling({ name, scale: -1, offset: 0 } as never));
  },
  Reciprocal: (builder, node) => {
    const x = builder.input(node, 0);
    return x.kind === "signal"
      ? {
          ...mapped(builder, node, x, (name) => new Power({ name, exponent: -1 })),
          origin: { op: node.op, inputs: [x] },
        }
      : elementwise(builder, node, x, "reciprocal");
  },
  Exp: named("exponential", "exp"),
  Log: function_("log"),
  Sqrt: (builder, node) => {
    const x = builder.input(node, 0);
    return x.kind === "signal"
      ? {
          ...mapped(builder, node, x, (name) => new Power({ name, exponent: 0.5 })),
          origin: { op: node.op, inputs: [x] },
        }
      : elementwise(builder, node, x, "sqrt");
  },
  Erf: function_("erf"),
  Floor: function_("floor"),
  Ceil: function_("ceil"),
  Round: function_("round"),
  Sign: function_("sign"),
  Sin: function_("sin"),
  Cos: function_("cos"),
  Tan: function_("tan"),
  Sinh: function_("sinh"),
  Cosh: function_("cosh"),
  Asin: function_("arcsin"),
  Acos: function_("arccos"),
  Atan: function_("arctan"),
  Asinh: function_("arcsinh"),
  Acosh: function_("arccosh"),
  Atanh: function_("arctanh"),
  Not: function_("logicalnot", "bool"),
  IsNaN: function_("isnan", "bool"),
  IsInf: function_("isinf", "bool"),

  Identity: (builder, node) => builder.input(node, 0),
  Dropout: (builder, node) => {
    const x = builder.input(node, 0);
    const given = builder.optionalConstant(node, 1);
    const rate = given === undefined ? builder.number(node, "ratio", 0.5) : scalarOf(given);
    if (x.kind !== "signal" || rate === 0) return x;
    if (!(rate > 0 && rate < 1)) return builder.refuse(node, `expected a ratio below 1, got ${rate}`);
    return mapped(builder, node, x, (name) => new Dropout({ name, rate }));
  },
  Cast: (builder, node) => cast(builder, node, castKinds[builder.number(node, "to", 1)]),
  CastLike: (builder, node) => {
    const like = builder.input(node, 1);
    return cast(builder, node, like.kind === "sizes" ? "int" : like.type);
  },
};

const castKinds: Readonly<Record<number, ElementKind>> = {
  1: "float",
  2: "int",
  3: "int",
  4: "int",
  5: "int",
  6: "int",
  7: "int",
  9: "bool",
  10: "float",
  11: "float",
  12: "int",
  13: "int",
  16: "float",
};

function cast(builder: Builder, node: OnnxNode, to: ElementKind | undefined): Value {
  const x = builder.input(node, 0);
  if (to === undefined)
    return builder.refuse(node, `casts to type ${builder.number(node, "to", 0)}, which is not known`);
  if (x.kind === "sizes") return x;
  if (x.type === to) return x;
  const dtype = { float: "float32", int: "int32", bool: "bool" }[to];
  return elementwise(builder, node, x, "cast", { dtype }, to);
}
