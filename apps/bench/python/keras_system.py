"""Keras on TensorFlow: `fit` as it is, with steps_per_execution, with XLA; prediction by `predict_on_batch` and by a tf.function."""

import os
import tempfile
import time

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

import formula  # noqa: E402
from keras_networks import NETWORKS  # noqa: E402
from measuring import measure, measure_stream, read_mnist  # noqa: E402

STEPS_PER_EXECUTION = 20
BATCHES = 8


def versions() -> dict:
    return {"keras": keras.__version__, "tensorflow": tf.__version__}


def build(network: dict) -> keras.Model:
    model = NETWORKS[network["name"]](tuple(network["input"]), network["classes"])
    for layer in model.layers:
        roles = [variable.path.rsplit("/", 1)[-1] for variable in layer.weights]
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            roles = ["depthwise_kernel" if role == "kernel" else role for role in roles]
        shapes = [tuple(variable.shape) for variable in layer.weights]
        layer.set_weights([formula.weight(layer.name, *pair, network["gain"]) for pair in zip(roles, shapes)])
    return model


def optimizer(name: str, rate: float = 0.01) -> keras.optimizers.Optimizer:
    rate = rate if name == "sgd" else 1e-4
    return {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}[name](rate)


class Clock(keras.callbacks.Callback):
    """The time after each batch that `fit` reports: with steps_per_execution, every so many."""

    def __init__(self):
        super().__init__()
        self.stamps = []

    def on_train_batch_end(self, batch, logs=None):
        self.stamps.append((batch + 1, time.perf_counter()))


class System:
    def __init__(self, options: dict):
        tf.config.threading.set_intra_op_parallelism_threads(options["threads"])
        tf.config.threading.set_inter_op_parallelism_threads(options["threads"])
        self.threads = options["threads"]
        self.variant = options["variant"]
        self.predicted = None

    def train(self, network: dict, batch: int, optimizer: str) -> dict:
        keras.backend.clear_session()
        self.model = model = build(network)
        shape = (batch, *network["input"])
        self.images = np.stack([formula.images(index, shape, network["scale"]) for index in range(BATCHES)])
        self.labels = np.stack([formula.labels(index, batch, network["classes"]) for index in range(BATCHES)])
        self.timer = self.time_fit
        self.chunk = STEPS_PER_EXECUTION if self.variant == "steps_per_execution" else 1
        start = time.perf_counter()
        model.compile(
            globals()["optimizer"](optimizer, network.get("rate", 0.01)),
            "sparse_categorical_crossentropy" if network["classes"] > 1 else "binary_crossentropy",
            steps_per_execution=self.chunk,
            jit_compile=self.variant == "xla",
        )
        first = self.fit(1, 1)
        first_step = (time.perf_counter() - start) * 1000
        start = time.perf_counter()
        second = self.fit(1, 1)
        self.second_step = time.perf_counter() - start
        return {
            "params": model.count_params(),
            "trainable": int(sum(np.prod(weight.shape) for weight in model.trainable_weights)),
            "losses": [first, second],
            "firstStep": first_step,
        }

    def fit(self, steps: int, batches: int, callbacks=()) -> float:
        """The mean loss of so many steps over the first `batches` batches."""
        data = tf.data.Dataset.from_tensor_slices((self.images[:batches], self.labels[:batches]))
        data = data.repeat().take(steps).prefetch(tf.data.AUTOTUNE)
        return self.model.fit(data, verbose=0, callbacks=list(callbacks)).history["loss"][0]

    def measure(self, seconds: float, count: int) -> dict:
        return {"times": self.timer(seconds, count)}

    def time_fit(self, seconds: float, count: int) -> list[float]:
        def time_step() -> float:
            clock = Clock()
            self.fit(2 * self.chunk, BATCHES, [clock])
            (before, begin), (after, end) = clock.stamps[0], clock.stamps[-1]
            return (end - begin) / (after - before)

        step = self.second_step
        if step < seconds:
            step = time_step()
        if 4 * self.chunk * step < seconds:
            step = time_step()
        size = self.chunk * max(1, min(1000, round(seconds / count / step / self.chunk)))
        count = max(1, min(count, round(3 * seconds / step / size)))
        clock = Clock()
        self.fit(size * (count + 1), BATCHES, [clock])
        stamps = dict(clock.stamps)
        marks = [stamps[size * index] for index in range(1, count + 2)]
        return [(after - before) * 1000 / size for before, after in zip(marks, marks[1:])]

    def predict(self, network: dict, batch: int) -> dict:
        if self.predicted != network["name"]:
            keras.backend.clear_session()
            self.model, self.predicted = build(network), network["name"]
        model = self.model
        x = formula.images(0, (batch, *network["input"]), network["scale"])
        if self.variant == "predict_on_batch":
            run = lambda: model.predict_on_batch(x)  # noqa: E731
        else:
            compiled = tf.function(lambda images: model(images, training=False))
            run = lambda: compiled(tf.constant(x)).numpy()  # noqa: E731
        start = time.perf_counter()
        outputs = run()
        first_step = (time.perf_counter() - start) * 1000
        steps = lambda n: [run() for _ in range(n)]  # noqa: E731
        self.timer = lambda seconds, count: measure(steps, seconds, count)
        return {"params": model.count_params(), "outputs": outputs.flatten()[:64].tolist(), "firstStep": first_step}

    def load(self, network: dict, count: int) -> dict:
        """From a .keras file to the first prediction."""
        x = formula.images(0, (1, *network["input"]), network["scale"])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.keras")
            model = build(network)
            model.save(path)
            times = []
            for _ in range(count):
                keras.backend.clear_session()
                start = time.perf_counter()
                outputs = keras.models.load_model(path, compile=False).predict_on_batch(x)
                times.append((time.perf_counter() - start) * 1000)
        return {"params": model.count_params(), "outputs": outputs.flatten()[:64].tolist(), "times": times}

    def build(self, network: dict) -> dict:
        """With fresh weights."""
        start = time.perf_counter()
        model = NETWORKS[network["name"]](tuple(network["input"]), network["classes"])
        model.weights[-1].numpy()
        return {"params": model.count_params(), "times": [(time.perf_counter() - start) * 1000]}

    def data(self, source: str, folder: str, batch: int) -> dict:
        """tf.data over arrays, or `image_dataset_from_directory`."""
        if source == "mnist":
            images, labels = read_mnist(folder, "train")
            data = tf.data.Dataset.from_tensor_slices((images[..., None], labels)).shuffle(len(images)).batch(batch)
            data = data.map(lambda x, y: (tf.cast(x, tf.float32), y), tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
        else:
            data = keras.utils.image_dataset_from_directory(folder, image_size=(180, 180), batch_size=batch, verbose=False)
            data = data.prefetch(tf.data.AUTOTUNE)
        if self.threads < os.cpu_count():
            # tf.data runs on threads of its own, one a core, whatever TensorFlow's other pools have.
            pool = tf.data.Options()
            pool.threading.private_threadpool_size = self.threads
            data = data.with_options(pool)
        mean = float(np.mean([x.numpy().mean() for x, _ in data]))
        self.timer = lambda seconds, count: measure_stream(lambda: data, seconds, count)
        return {"outputs": [mean]}

    def accuracy(self, network: dict, batch: int, folder: str, target: float, epochs: int) -> dict:
        """`fit` with Adam on MNIST until so many of the test images are classified right."""
        images, labels = read_mnist(folder, "train")
        test = read_mnist(folder, "t10k")
        model = build(network)
        model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])

        class Stop(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                self.model.stop_training = logs["val_accuracy"] >= target

        scaled = lambda x: x[..., None].astype(np.float32) / 255  # noqa: E731
        history = model.fit(
            scaled(images), labels, batch, epochs, verbose=0,
            validation_data=(scaled(test[0]), test[1]), validation_batch_size=1000, callbacks=[Stop()],
        ).history["val_accuracy"]
        if history[-1] < target:
            raise RuntimeError(f"it reached {history[-1]:.4f} in {epochs} epochs, the target is {target}")
        return {"params": model.count_params(), "epochs": len(history)}
