"""A server of one network, as its users write it: `serving_peer.py SYSTEM NETWORK ONNX PORT THREADS`.

Three requests: POST /jpeg (the file; the five best classes come back), POST /binary (float32, `[n, h, w, c]`) and POST /json
(`{"instances": …}`); the last two give the outputs as JSON. LitServe takes JSON alone: bytes come as `{"base64": …}`.
"""

import io
import json
import sys

import numpy as np
from PIL import Image

SYSTEM, NETWORK, ONNX, PORT, THREADS = sys.argv[1:6]
SHAPE = (28, 28, 1) if NETWORK == "lenet5" else (224, 224, 3)


def onnx_model():
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = int(THREADS)
    session = onnxruntime.InferenceSession(ONNX, settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x})[0]


def torch_model():
    """The same layers with weights of its own: PyTorch reads no ONNX."""
    import torch
    import torchvision

    torch.set_num_threads(int(THREADS))
    if NETWORK == "lenet5":
        from torch_networks import LeNet5

        model = LeNet5(SHAPE, 10)
    else:
        model = {"resnet50": torchvision.models.resnet50, "mobilenet-v2": torchvision.models.mobilenet_v2}[NETWORK]()
    model = model.eval().to(memory_format=torch.channels_last)

    def run(x):
        with torch.inference_mode():
            return model(torch.from_numpy(x).permute(0, 3, 1, 2)).softmax(1).numpy()

    return run


def pixels(file: bytes) -> np.ndarray:
    height, width, channels = SHAPE
    image = Image.open(io.BytesIO(file)).convert("L" if channels == 1 else "RGB")
    return np.asarray(image.resize((width, height), Image.BILINEAR), np.float32).reshape(1, *SHAPE) / 255


def tensor(body: bytes) -> np.ndarray:
    return np.frombuffer(body, np.float32).reshape(-1, *SHAPE)


def best(scores: np.ndarray) -> list:
    order = np.argsort(scores)[::-1][:5]
    return [{"index": int(i), "probability": float(scores[i])} for i in order]


def fastapi_server(run):
    import uvicorn
    from fastapi import FastAPI, Request, Response
    from fastapi.concurrency import run_in_threadpool

    app = FastAPI()

    # Reading the body is asynchronous; the work goes to FastAPI's threads, as its guide says.
    def endpoint(work):
        async def answer(request: Request):
            body = await request.body()
            return Response(await run_in_threadpool(work, body), media_type="application/json")

        return answer

    app.post("/jpeg")(endpoint(lambda body: json.dumps({"predictions": best(run(pixels(body))[0])})))
    app.post("/binary")(endpoint(lambda body: json.dumps({"predictions": run(tensor(body)).tolist()})))
    app.post("/json")(
        endpoint(
            lambda body: json.dumps({"predictions": run(np.asarray(json.loads(body)["instances"], np.float32)).tolist()})
        )
    )
    uvicorn.run(app, host="127.0.0.1", port=int(PORT), log_level="warning", access_log=False)


def litserve_server():
    import litserve

    import litserve_apis

    batching = {"max_batch_size": 8, "batch_timeout": 0.002}
    apis = [
        litserve_apis.Jpeg(api_path="/jpeg", **batching),
        litserve_apis.Binary(api_path="/binary", **batching),
        litserve_apis.Json(api_path="/json", **batching),
    ]
    server = litserve.LitServer(apis, accelerator="cpu", timeout=60)
    server.run(host="127.0.0.1", port=int(PORT), generate_client_file=False, log_level="warning", num_api_servers=1)


if __name__ == "__main__":
    if SYSTEM == "litserve":
        litserve_server()
    else:
        fastapi_server(torch_model() if SYSTEM == "fastapi-torch" else onnx_model())
