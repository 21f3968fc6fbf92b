"""Makes packages/weights/test/golden/cudnn.h5, cudnn.keras and cudnn.json: layers of Keras 2 for NVIDIA's library, and what they compute.

python weights-cudnn.py FOLDER, with tf_keras installed. The layers run on NVIDIA's GPUs alone, so the numbers are those of LSTM and
GRU with the weights as tf_keras converts them.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tf_keras as keras
from tf_keras.src.layers.rnn.cudnn_gru import CuDNNGRU
from tf_keras.src.layers.rnn.cudnn_lstm import CuDNNLSTM

layers = keras.layers
folder = sys.argv[1]


def network(lstm, gru):
    frames = keras.Input((5, 4), name="frames")
    x = lstm(3, return_sequences=True, name="first")(frames)
    x = layers.Bidirectional(lstm(2, return_sequences=True), name="both")(x)
    x = layers.Bidirectional(gru(3, return_sequences=True), merge_mode="sum", name="gates")(x)
    x = gru(2, go_backwards=True, name="last")(x)
    return keras.Model(frames, layers.Dense(2, name="scores")(x))


made = network(CuDNNLSTM, CuDNNGRU)
draws = np.random.default_rng(0)
for weight in made.weights:
    weight.assign(draws.normal(0, 0.5, weight.shape).astype("float32"))
made.save(f"{folder}/cudnn.h5")
made.save(f"{folder}/cudnn.keras")

plain = network(layers.LSTM, lambda units, **options: layers.GRU(units, reset_after=True, **options))
plain.load_weights(f"{folder}/cudnn.h5")
frames = draws.normal(0, 1, (2, 5, 4)).astype("float32")
with open(f"{folder}/cudnn.json", "w") as out:
    json.dump({"frames": frames.ravel().tolist(), "scores": plain.predict(frames, verbose=0).ravel().tolist()}, out)
    out.write("\n")
