"""Serves, on a loopback port of the machine that it runs on, what a Python comes from and what pip fetches: an archive, and an
index of packages that are made up as they are asked for. The file /run/python-mirror says how the archive comes: `good`,
`missing` (404) or `cut` (half of it).

Usage: python-mirror.py PORT ARCHIVE
"""

import base64
import hashlib
import http.server
import io
import pathlib
import sys
import zipfile

PORT, ARCHIVE = int(sys.argv[1]), pathlib.Path(sys.argv[2])
MODE = pathlib.Path("/run/python-mirror")
PACKAGES = {"vllm": "0.33.0", "vllm-bnb-plugin": "0.0.3", "bitsandbytes": "0.49.2"}


def wheel(name: str, version: str) -> bytes:
    """A wheel with an empty module and a command of its name."""
    module, content = name.replace("-", "_"), io.BytesIO()
    info = f"{module}-{version}.dist-info"
    files = {
        f"{module}/__init__.py": "def main():\n    pass\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {module}:main\n",
    }
    with zipfile.ZipFile(content, "w") as archive:
        record = ""
        for path, text in files.items():
            archive.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(text)}\n"
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    return content.getvalue()


class Mirror(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.rstrip("/").split("/")[-1]
        if name.startswith("cpython-"):
            self.archive(MODE.read_text().strip())
        elif name.endswith(".whl"):
            module, version = name.split("-")[:2]
            self.give(wheel(module.replace("_", "-"), version))
        elif name in PACKAGES:
            file = f"{name.replace('-', '_')}-{PACKAGES[name]}-py3-none-any.whl"
            self.give(f'<a href="/files/{file}">{file}</a>'.encode(), kind="text/html")
        else:
            self.send_error(404)

    def archive(self, mode: str):
        if mode == "missing":
            self.send_error(404)
            return
        content = ARCHIVE.read_bytes()
        self.give(content, cut=len(content) // 2 if mode == "cut" else None)

    def give(self, content: bytes, kind: str = "application/octet-stream", cut: "int | None" = None):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])
        self.close_connection = True

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Mirror).serve_forever()
