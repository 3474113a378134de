"""Serves moto on loopback for as long as the process that started it lives.

Usage: serve.py PROXY_PORT. Prints one line of JSON, {"port": N}, when it listens. Its standard
input is a pipe held by its owner: when that closes, however the owner ended, so does this.
"""

import json
import os
import sys
import threading
import traceback
from contextlib import nullcontext

# Questions that are asked while a fleet's own call holds the lock, or that make calls themselves.
UNLOCKED = {"placement", "sdk"}


def end_with_owner() -> None:
    """Ends the process as soon as standard input closes."""
    while os.read(0, 4096):
        pass
    os._exit(0)


def failure(error, start_response):
    """Names what went wrong inside moto in a header, in place of a page that says nothing."""
    missing = isinstance(error, NotImplementedError)
    if not missing:
        traceback.print_exception(error, file=sys.stderr)
    data = str(error).encode()
    start_response(
        "500 Internal Server Error",
        [
            ("Content-Type", "text/plain"),
            ("Content-Length", str(len(data))),
            ("X-Berth-Failure", "missing" if missing else type(error).__name__),
        ],
    )
    return [data]


def main() -> None:
    threading.Thread(target=end_with_owner, daemon=True).start()
    proxy_port = sys.argv[1]
    # Calls that moto makes itself (the tasks of a state machine) take the way of every other call.
    os.environ["MOTO_PORT"] = proxy_port
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"

    import patches
    from questions import answer
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    patches.apply(proxy_port)
    application = DomainDispatcherApplication(create_backend_app)
    # moto's state is not made for threads: two first calls at once can find it half made.
    lock = threading.Lock()

    def dispatch(environ, start_response):
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/_berth/"):
            # What a fleet or a state machine does is a call inside a call.
            inner = "HTTP_X_BERTH_FLEET" in environ or "AWSStepFunctions" in environ.get("HTTP_X_AMZ_TARGET", "")
            with nullcontext() if inner else lock:
                try:
                    return application(environ, start_response)
                except Exception as error:  # noqa: BLE001: told to the proxy, which refuses the call
                    return failure(error, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        question = path[len("/_berth/") :]
        with nullcontext() if question in UNLOCKED else lock:
            status, value = answer(question, json.loads(body or b"{}"))
        data = json.dumps(value).encode()
        start_response(
            status, [("Content-Type", "application/json"), ("Content-Length", str(len(data)))]
        )
        return [data]

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_arguments) -> None:
            pass

    server = make_server("127.0.0.1", 0, dispatch, threaded=True, request_handler=Quiet)
    print(json.dumps({"port": server.server_port}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
