"""Stands for `vllm serve`: answers completions by the names that it was told, and dies of an adapter that it cannot compute with, as
the engine does, at the first request for it."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

words = sys.argv[1:]
value = lambda flag: words[words.index(flag) + 1]
names = [value("--served-model-name")]
adapters = {}
if "--lora-modules" in words:
    assert "--enable-lora" in words
    for module in words[words.index("--lora-modules") + 1 :]:
        name, folder = module.split("=")
        adapters[name] = json.load(open(f"{folder}/adapter_config.json"))
        if adapters[name]["r"] > int(value("--max-lora-rank")):
            sys.exit(f"LoRA rank {adapters[name]['r']} is greater than max_lora_rank {value('--max-lora-rank')}")


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["model"]
        if adapters.get(asked, {}).get("dies"):
            print("CUDA error: an illegal memory access was encountered", file=sys.stderr, flush=True)
            os._exit(1)
        found = asked in names or asked in adapters
        body = {"choices": [{"text": f"by {asked}"}]} if found else {"error": f"The model `{asked}` does not exist."}
        content = json.dumps(body).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


ThreadingHTTPServer((value("--host"), int(value("--port"))), Handler).serve_forever()
