"""Writes packages/weights/src/formats/keras/config-keys.ts: the options of every layer class of Keras 3 and Keras 2 (tf_keras).

python weights-config-keys.py FILE, with keras and tf_keras installed.
"""

import inspect
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import tf_keras

SHARED = {"self", "kwargs", "args", "name", "trainable", "dtype", "activity_regularizer", "input_shape", "input_dim"}
SHARED |= {"batch_size", "autocast", "dynamic", "weights"}


def options(cls):
    found = set()
    for part in cls.__mro__:
        if "__init__" in part.__dict__:
            for parameter in inspect.signature(part.__init__).parameters.values():
                if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                    found.add(parameter.name)
    return found - SHARED


table = {}
for maker in (keras, tf_keras):
    for room in filter(None, [maker.layers, getattr(maker.layers, "experimental", None)]):
        for name in dir(room):
            cls = getattr(room, name)
            if inspect.isclass(cls) and issubclass(cls, maker.layers.Layer) and cls is not maker.layers.Layer:
                table.setdefault(cls.__name__, set()).update(options(cls))

lines = [f'  {name}: "{" ".join(sorted(keys))}",' for name, keys in sorted(table.items())]
source = f'''import type {{ JsonObject }} from "../../bytes/json.ts";

/** The options of each layer class of Keras 3 and Keras 2, as tools/golden/weights-config-keys.py found them. */
const optionsOf: Readonly<Record<string, string>> = {{
{chr(10).join(lines)}
}};

/** Options of every layer, and what old versions of Keras wrote beside them. */
const shared = new Set(
  "name trainable dtype activity_regularizer batch_input_shape batch_shape input_shape input_dim input_dtype build_config sparse ragged optional data_format dim_ordering seed quantization_config lora_rank lora_alpha renorm renorm_clipping renorm_momentum synchronized fused implementation noise_shape momentum mode batch_size autocast dynamic alpha groups keepdims time_major zero_output_for_mask rms_scaling query_shape key_shape value_shape".split(
    " ",
  ),
);

/** The first option in a configuration that Keras' class of this name does not have: then the class is another's. */
export function unknownKey(className: string, config: JsonObject): string | undefined {{
  if (!Object.hasOwn(optionsOf, className)) return undefined;
  const known = new Set(optionsOf[className]!.split(" "));
  return Object.keys(config).find((key) => !shared.has(key) && !known.has(key));
}}
'''
with open(sys.argv[1], "w") as out:
    out.write(source)
