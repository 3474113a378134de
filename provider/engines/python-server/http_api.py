"""OpenAI's calls over HTTP, for whatever model is put behind them."""

import hmac
import json
import os
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_BODY_BYTES = 1 << 20


class BadRequest(Exception):
    """The caller's mistake, told to the caller."""


def number(body, name, fallback, low, high):
    value = body.get(name)
    if value is None:
        value = fallback
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise BadRequest(f"{name} must be a number from {low} to {high}, got {json.dumps(value)}")
    return value


def whole(body, name, fallback, low, high):
    value = number(body, name, fallback, low, high)
    if value != int(value):
        raise BadRequest(f"{name} must be a whole number, got {value}")
    return int(value)


class Api:
    """What the server knows: the model once it is loaded, who may ask, and that one asks at a time."""

    def __init__(self, model_id, token):
        self.model_id = model_id
        self.token = token
        self.model = None
        self.turn = threading.Lock()

    def allows(self, header):
        if self.token is None:
            return True
        given = (header or "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), self.token.encode())


def is_fatal(error):
    """Whether the GPU is of no use to this process any more: CUDA's errors stay, but for a lack of memory."""
    return "CUDA error" in str(error) or "device-side assert" in str(error)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    api = None

    def log_message(self, *_):
        """Requests are not logged: prompts are nobody's business."""

    def answer(self, status, value):
        content = (json.dumps(value) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def refuse(self, status, message):
        # What is left of the body would be taken for the next request.
        self.close_connection = True
        self.answer(status, {"error": {"message": message}})

    def body(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            raise BadRequest(f"the body is larger than {MAX_BODY_BYTES} bytes")
        try:
            value = json.loads(self.rfile.read(length))
        except ValueError as error:
            raise BadRequest("the body is not JSON") from error
        if not isinstance(value, dict):
            raise BadRequest("the body is no JSON object")
        return value

    def do_GET(self):
        api = self.api
        if self.path == "/health":
            ready = api.model is not None
            return self.answer(200 if ready else 503, {"status": "ok" if ready else "loading"})
        if not api.allows(self.headers.get("Authorization")):
            return self.refuse(401, "the token is missing or wrong")
        if self.path == "/v1/models":
            return self.answer(200, {"object": "list", "data": [{"id": api.model_id, "object": "model"}]})
        return self.refuse(404, f"no such call: GET {self.path}")

    def do_POST(self):
        api = self.api
        if not api.allows(self.headers.get("Authorization")):
            return self.refuse(401, "the token is missing or wrong")
        if api.model is None:
            return self.refuse(503, "the model is loading")
        call = api.model.calls().get(self.path)
        if call is None:
            return self.refuse(404, f"no such call: POST {self.path}")
        self.answered = False
        try:
            body = self.body()
            with api.turn:
                self.serve(call, body)
        except BadRequest as error:
            self.refuse(400, str(error))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except Exception as error:
            self.failed(error)

    def serve(self, call, body):
        result = call(body, {"model": self.api.model_id, "created": int(time.time())})
        if body.get("stream") is not True or isinstance(result, dict):
            return self.answer(200, result if isinstance(result, dict) else result.whole())
        self.answered = True
        self.close_connection = True
        try:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for part in result.parts():
                self.wfile.write(f"data: {json.dumps(part)}\n\n".encode())
                self.wfile.flush()
        finally:
            # A caller who has gone needs no more of it, and the next one's turn begins with nothing under way.
            result.cancel()
        self.wfile.write(b"data: [DONE]\n\n")

    def failed(self, error):
        traceback.print_exc(file=sys.stderr)
        self.close_connection = True
        if not self.answered:
            self.refuse(500, f"{type(error).__name__}: {error}")
        if is_fatal(error):
            print("python-server: the GPU is lost to this process, which ends", file=sys.stderr, flush=True)
            os._exit(1)


def make_server(api, host, port):
    handler = type("BoundHandler", (Handler,), {"api": api})
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    return server
