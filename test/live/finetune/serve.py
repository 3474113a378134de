"""A served model as SageMaker asks it, GET /ping and POST /invocations, by the server for transformers that berth brings to hosts.

python serve.py ENGINE MODEL PORT
"""

import argparse
import sys

ENGINE, MODEL, PORT = sys.argv[1:]
sys.path.insert(0, ENGINE)

from http_api import Api, Handler, ThreadingHTTPServer
from text_model import TextModel


class Invocations(Handler):
    def do_GET(self):
        self.path = {"/ping": "/health"}.get(self.path, self.path)
        super().do_GET()

    def do_POST(self):
        # The body tells a chat from a completion, and is read but once.
        body = self.body()
        self.body = lambda: body
        self.path = "/v1/chat/completions" if "messages" in body else "/v1/completions"
        super().do_POST()


if __name__ == "__main__":
    api = Api("tuned", None)
    server = ThreadingHTTPServer(("127.0.0.1", int(PORT)), type("Bound", (Invocations,), {"api": api}))
    flags = argparse.Namespace(model=MODEL, context=512, quantise="none", temperature=1.0, top_p=1.0, id="tuned")
    api.model = TextModel(flags)
    server.serve_forever()
