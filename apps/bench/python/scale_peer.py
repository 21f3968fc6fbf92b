"""One worker of Keras' MultiWorkerMirroredStrategy or of PyTorch's DistributedDataParallel over gloo, for `src/scale`.

Argument: a JSON object (`src/scale/worker.ts` reads the same). Says {"trainable": n} when it is warm; then, for each line on standard
input, trains so many steps and says {"seconds": s, "loss": l}.
"""

import json
import os
import sys
import time

ASKED = json.loads(sys.argv[1])
NETWORK, THREADS, STEPS = ASKED["network"], ASKED["threads"], ASKED["steps"]
ADDRESSES, RANK = ASKED["addresses"], ASKED["rank"]
TOGETHER = len(ADDRESSES) > 0
# Images of this worker in each step.
SIZE = ASKED["batch"]
if TOGETHER and ASKED["system"] == "keras":
    os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": ADDRESSES}, "task": {"type": "worker", "index": RANK}})
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402

import formula  # noqa: E402


def say(value):
    print(json.dumps(value), flush=True)


def arrays():
    shape = (SIZE * STEPS, *NETWORK["input"])
    return formula.images(RANK, shape, NETWORK["scale"]), formula.labels(RANK, SIZE * STEPS, NETWORK["classes"])


def keras_worker():
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    # Before anything else is computed: the strategy starts TensorFlow's server.
    strategy = tf.distribute.MultiWorkerMirroredStrategy() if TOGETHER else tf.distribute.get_strategy()
    import keras

    from keras_networks import NETWORKS

    images, labels = arrays()
    with strategy.scope():
        model = NETWORKS[NETWORK["name"]](tuple(NETWORK["input"]), NETWORK["classes"])

    def step(x, y):
        with tf.GradientTape() as tape:
            losses = keras.losses.sparse_categorical_crossentropy(y, model(x, training=True))
            loss = tf.nn.compute_average_loss(losses, global_batch_size=SIZE * strategy.num_replicas_in_sync)
        gradients = tape.gradient(loss, model.trainable_variables)
        gradients = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        for gradient, variable in zip(gradients, model.trainable_variables):
            variable.value.assign_sub(0.01 * gradient)
        return loss

    @tf.function
    def distributed(x, y):
        return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(step, args=(x, y)), axis=None)

    data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(SIZE, drop_remainder=True).repeat().prefetch(2)
    batches = iter(strategy.distribute_datasets_from_function(lambda _: data) if TOGETHER else data)

    def run():
        for _ in range(STEPS):
            loss = distributed(*next(batches))
        return float(loss)

    return run, int(sum(np.prod(weight.shape) for weight in model.trainable_weights))


def torch_worker():
    import torch

    torch.set_num_threads(THREADS)
    torch.set_num_interop_threads(THREADS)
    from torch_networks import NETWORKS

    model = NETWORKS[NETWORK["name"]](tuple(NETWORK["input"]), NETWORK["classes"]).to(memory_format=torch.channels_last)
    trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    if TOGETHER:
        host, port = ADDRESSES[0].split(":")
        torch.distributed.init_process_group(
            "gloo", init_method=f"tcp://{host}:{port}", rank=RANK, world_size=len(ADDRESSES)
        )
        model = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, fused=True)
    images, labels = arrays()
    images = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).to(memory_format=torch.channels_last)
    labels = torch.from_numpy(labels).long()

    def run():
        for start in range(0, SIZE * STEPS, SIZE):
            optimizer.zero_grad()
            outputs = model(images[start : start + SIZE])
            loss = torch.nn.functional.cross_entropy(outputs, labels[start : start + SIZE])
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    return run, trainable


run, trainable = {"keras": keras_worker, "torch": torch_worker}[ASKED["system"]]()
run()
say({"trainable": trainable})
for _ in sys.stdin:
    start = time.perf_counter()
    loss = run()
    say({"seconds": time.perf_counter() - start, "loss": loss})
