import * as tf from "@tensorflow/tfjs-core";

/** A layer's class as tfjs-layers registers it. */
export interface NamedClass {
  readonly className: string;
}

/**
 * Lets tfjs create layers from saved configurations by their classes' names. A class that replaces the one it extends takes its name over;
 * a class that a user registered under such a name is kept.
 */
export function registerClasses(classes: Iterable<NamedClass>): void {
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  for (const each of classes) {
    if (!Object.hasOwn(each, "className")) continue;
    const there: unknown = Object.hasOwn(classNameMap, each.className) && classNameMap[each.className]?.[0];
    const isFree = there === false || there === Object.getPrototypeOf(each);
    if (isFree) tf.serialization.registerClass(each as never);
  }
}
