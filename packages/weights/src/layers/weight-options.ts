import { OptionError, shown } from "@convkit/errors";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/** An initializer, regularizer or constraint in the form of a configuration. */
interface Stated {
  readonly className: string;
  readonly config: object;
}

type Initializer = ReturnType<typeof tfl.initializers.zeros>;
type Regularizer = ReturnType<typeof tfl.regularizers.l1>;
type Constraint = ReturnType<typeof tfl.constraints.nonNeg>;

/** The initializer, regularizer and constraint of one weight of a layer. */
export interface WeightOptions {
  readonly initializer: Initializer;
  readonly regularizer: Regularizer | undefined;
  readonly constraint: Constraint | undefined;
}

/** Reads `kernelInitializer`, `kernelRegularizer` and `kernelConstraint` of a layer's options, for "kernel". */
export function weightOptions(args: object, weight: string, initializer: Initializer): WeightOptions {
  const stated = args as Readonly<Record<string, unknown>>;
  return {
    initializer: (made(stated, `${weight}Initializer`) as Initializer | undefined) ?? initializer,
    regularizer: made(stated, `${weight}Regularizer`) as Regularizer | undefined,
    constraint: made(stated, `${weight}Constraint`) as Constraint | undefined,
  };
}

/** The options that `weightOptions` reads, for a layer's configuration. */
export function weightConfig(args: object): Readonly<Record<string, Stated>> {
  return Object.fromEntries(
    Object.entries(args).filter(([key, value]) => /(Initializer|Regularizer|Constraint)$/.test(key) && value != null),
  ) as Record<string, Stated>;
}

function made(args: Readonly<Record<string, unknown>>, key: string): unknown {
  const value = args[key];
  if (value == null) return undefined;
  const { className, config } = value as Partial<Stated>;
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  if (typeof className !== "string" || !Object.hasOwn(classNameMap, className))
    throw new OptionError(`expected ${key} to be one that tfjs has, got ${shown(className ?? value)}`);
  const [cls, fromConfig] = classNameMap[className] as unknown as [unknown, (cls: unknown, config: object) => unknown];
  return fromConfig(cls, config ?? {});
}
