"""Stops the notebook instance that it runs on when nobody has used it for a while.

A kernel that works counts as use, also when nobody is connected; one that waits does not. A Jupyter that cannot be asked is
no reason to stop: the lease still ends the instance.

Arguments: name of the instance, region, minutes without use.
"""

import json
import os
import ssl
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timezone

# Jupyter of a notebook instance, with a certificate of its own
# (https://github.com/aws-samples/amazon-sagemaker-notebook-instance-lifecycle-config-samples).
JUPYTER = os.environ.get("BERTH_JUPYTER", "https://localhost:8443")
AWS = os.environ.get("BERTH_AWS", "aws")
SINCE = os.environ.get("BERTH_IDLE_SINCE", "/run/berth-idle-since")


def asked(path: str) -> list[dict]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    token = os.environ.get("BERTH_JUPYTER_TOKEN")
    headers = {"authorization": f"token {token}"} if token else {}
    request = urllib.request.Request(f"{JUPYTER}/api/{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=20, context=context if JUPYTER.startswith("https") else None) as answer:
        return json.load(answer)


def seconds_since(moment: str) -> float:
    then = datetime.strptime(moment[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return (datetime.now(timezone.utc) - then).total_seconds()


def idle_seconds() -> float:
    """Since the last use of any kernel or terminal; without any, since this was first looked at after a start or a use."""
    kernels = asked("kernels")
    if any(kernel["execution_state"] == "busy" for kernel in kernels):
        used = 0.0
    else:
        things = kernels + asked("terminals")
        used = min([seconds_since(thing["last_activity"]) for thing in things], default=float("inf"))
    if not os.path.exists(SINCE):
        with open(SINCE, "w") as file:
            file.write(str(time.time()))
    with open(SINCE) as file:
        return min(used, time.time() - float(file.read()))


def main(name: str, region: str, minutes: str) -> None:
    try:
        idle = idle_seconds()
    except OSError as error:
        print(f"unknown: Jupyter does not answer ({error})")
        return
    print(f"idle for {idle:.0f} s of {int(minutes) * 60}")
    if idle >= int(minutes) * 60:
        call = [AWS, "sagemaker", "stop-notebook-instance", "--notebook-instance-name", name, "--region", region]
        subprocess.run(call, check=True)


main(*sys.argv[1:4])
