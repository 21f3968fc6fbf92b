"""LitServe's side of `serving_peer.py`: its processes import these classes."""

import base64

import litserve
import numpy as np

import serving_peer


class Json(litserve.LitAPI):
    def setup(self, device):
        self.run = serving_peer.onnx_model()

    def decode_request(self, request):
        return np.asarray(request["instances"], np.float32)

    def batch(self, inputs):
        return np.concatenate(inputs)

    def predict(self, x):
        return self.run(x)

    def unbatch(self, outputs):
        return list(outputs)

    def encode_response(self, output):
        return {"predictions": [output.tolist()]}


class Binary(Json):
    def decode_request(self, request):
        return serving_peer.tensor(base64.b64decode(request["base64"]))


class Jpeg(Json):
    def decode_request(self, request):
        return serving_peer.pixels(base64.b64decode(request["base64"]))

    def encode_response(self, output):
        return {"predictions": serving_peer.best(output)}
