"""Serves one model in OpenAI's form: text with Hugging Face transformers, images with diffusers.

It runs on a GPU host, in a virtual environment with PyTorch, beside the files that it imports:
    python main.py --kind text --model FOLDER --id MODEL_ID --port 8000
"""

import argparse
import os
import signal
import ssl
import sys
import threading

# No request leaves the host: a model that asks for a file of the hub is refused it.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from http_api import Api, make_server


def fail(message):
    print(f"python-server: {message}", file=sys.stderr, flush=True)
    # Threads of the frameworks may hold the process up.
    os._exit(1)


def read_flags():
    flags = argparse.ArgumentParser()
    flags.add_argument("--kind", choices=["text", "image"], required=True)
    flags.add_argument("--model", required=True)
    flags.add_argument("--id", required=True)
    flags.add_argument("--host", default="127.0.0.1")
    flags.add_argument("--port", type=int, default=8000)
    flags.add_argument("--context", type=int, default=4096)
    flags.add_argument("--quantise", choices=["none", "int8", "int4"], default="none")
    flags.add_argument("--temperature", type=float, default=1.0)
    flags.add_argument("--top-p", type=float, default=1.0)
    flags.add_argument("--token-file")
    flags.add_argument("--tls-certificate")
    flags.add_argument("--tls-key")
    return flags.parse_args()


def read_token(path):
    if path is None:
        return None
    with open(path, encoding="utf-8") as file:
        token = file.read().strip()
    if not token:
        fail(f"{path} holds no token")
    return token


def load(flags):
    if flags.kind == "text":
        from text_model import TextModel

        return TextModel(flags)
    from image_model import ImageModel

    return ImageModel(flags)


def main():
    flags = read_flags()
    api = Api(flags.id, read_token(flags.token_file))
    try:
        server = make_server(api, flags.host, flags.port)
    except OSError as error:
        fail(f"cannot listen on {flags.host}:{flags.port}: {error}")
    if flags.tls_certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(flags.tls_certificate, flags.tls_key)
        # Each connection shakes hands in its own thread: one that says nothing must not hold up the others.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening on {flags.host}:{server.server_address[1]}", flush=True)
    try:
        api.model = load(flags)
    except BaseException as error:  # a framework ends the process in more ways than by an Exception
        fail(f"cannot load the model: {type(error).__name__}: {error}")
    print("the model is loaded", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
