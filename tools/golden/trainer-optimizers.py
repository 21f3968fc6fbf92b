"""Twenty steps of softmax regression by Keras' optimizers, for packages/trainer/test/optimizers.test.ts.

Run in the peers' environment: python tools/golden/trainer-optimizers.py
"""
import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import keras
import numpy as np
import tensorflow as tf

OUT = pathlib.Path(__file__).parents[2] / "packages/trainer/test/golden/optimizers.json"
COUNT, PIXELS, CLASSES, STEPS = 10, 4, 3, 20

# The data and weights of packages/trainer/test/arithmetic.ts.
images = np.cos(np.arange(COUNT * PIXELS) * 1.3).astype("float32").reshape(COUNT, PIXELS)
labels = np.array([i * i % CLASSES for i in range(COUNT)])
kernel = (np.sin(np.arange(PIXELS * CLASSES)) / 2).astype("float32").reshape(PIXELS, CLASSES)

O = keras.optimizers
# Small enough that no gradient passes zero: there, RMSprop and Adam make large steps of rounding errors.
RATES = dict(sgd=0.2, momentum=0.05, nesterov=0.05, adam=0.004, adamw=0.004, rmsprop=0.002)


def make(name, learningRate, momentum=None, beta1=0.9, beta2=0.999, rho=0.9, epsilon=1e-7, centered=False, weightDecay=None, clipValue=None, clipNorm=None, globalClipNorm=None):
    limits = dict(clipvalue=clipValue, clipnorm=clipNorm, global_clipnorm=globalClipNorm)
    if name in ("sgd", "momentum", "nesterov"):
        return O.SGD(learningRate, momentum=(0.0 if name == "sgd" else 0.9) if momentum is None else momentum, nesterov=name == "nesterov", **limits)
    if name == "adam":
        return O.Adam(learningRate, beta_1=beta1, beta_2=beta2, epsilon=epsilon, **limits)
    if name == "adamw":
        optimizer = O.AdamW(learningRate, beta_1=beta1, beta_2=beta2, epsilon=epsilon, weight_decay=0.004 if weightDecay is None else weightDecay, **limits)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        return optimizer
    return O.RMSprop(learningRate, rho=rho, momentum=momentum or 0.0, epsilon=epsilon, centered=centered, **limits)


def trained(options, dtype):
    keras.config.set_floatx(dtype)
    w = keras.Variable(kernel.astype(dtype), name="kernel", dtype=dtype)
    b = keras.Variable(np.zeros(CLASSES, dtype), name="bias", dtype=dtype)
    optimizer = make(**options)
    # Apart from adamw, weight decay is L2 regularization of the kernel.
    l2 = 0 if options["name"] == "adamw" else options.get("weightDecay", 0)
    for _ in range(STEPS):
        with tf.GradientTape() as tape:
            logits = tf.matmul(images.astype(dtype), w.value) + b.value
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
            loss += l2 / 2 * tf.reduce_sum(tf.square(w.value))
        optimizer.apply(tape.gradient(loss, [w.value, b.value]), [w, b])
    return [round(float(v), 8) for v in [*w.numpy().reshape(-1), *b.numpy()]]


variations = {
    "sgd": [dict(momentum=0.5)],
    "momentum": [dict(momentum=0.6)],
    "nesterov": [dict(momentum=0.6)],
    "adam": [dict(beta1=0.8, beta2=0.95, epsilon=1e-3)],
    "adamw": [dict(beta1=0.8, beta2=0.95, epsilon=1e-3)],
    "rmsprop": [dict(rho=0.7, epsilon=1e-3), dict(momentum=0.5), dict(centered=True), dict(momentum=0.5, centered=True)],
}
every = [{}, dict(weightDecay=0.1), dict(clipValue=0.05), dict(clipNorm=0.1), dict(globalClipNorm=0.15), dict(weightDecay=0.1, globalClipNorm=0.15)]
cases = []
for name, rate in RATES.items():
    for more in every + variations[name]:
        options = dict(name=name, learningRate=rate, **more)
        weights = trained(options, "float64")
        spread = max(abs(a - b) for a, b in zip(weights, trained(options, "float32")))
        assert spread < 2e-6, (options, spread)
        cases.append(dict(optimizer=options, weights=weights))

OUT.write_text(json.dumps(dict(madeBy="tools/golden/trainer-optimizers.py", keras=keras.__version__, cases=cases)) + "\n")
print(len(cases), OUT.stat().st_size)
