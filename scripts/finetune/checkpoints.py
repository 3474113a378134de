"""Keeps the checkpoints of a training in S3, and brings the newest one to a host that has none.

checkpoints.py pull OUTPUT s3://BUCKET/PREFIX/             once, before the training
checkpoints.py keep OUTPUT s3://BUCKET/PREFIX/ MINUTES     beside it: every so many minutes, and once more on SIGTERM
checkpoints.py push OUTPUT s3://BUCKET/PREFIX/             now, for other hosts to take it from there

newest.json is written last and names all files of the whole checkpoints that are kept with their sizes and SHA-256: the last two,
and the one with the least loss on the samples that are not learnt. What it does not name is not there, and older ones are
removed. It only ever goes forward, and belongs to one training: the same model and samples.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import sys
import threading
import time
import urllib.request
from pathlib import Path, PurePosixPath

ENDED = threading.Event()
# Before boto3 is loaded, which takes a second: a training that ends within it is kept too.
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: ENDED.set())

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# A checkpoint without it was cut off: train.py writes it last.
WHOLE = "whole"
NEWEST = "newest.json"
# What a training leaves. Another name in S3 could be any place of this machine, which is emptied before it is filled.
FOLDERS = re.compile(r"checkpoint-[0-9]+|adapter|model")
# As many as the Trainer leaves on the host.
LAST_KEPT = 2
METADATA = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254").rstrip("/")
REFUSALS = (Boto3Error, BotoCoreError, ClientError, OSError, ValueError)


class Unusable(Exception):
    """What is in S3 is not for this training, or is not what it says."""


def say(text: str) -> None:
    print(text, flush=True)


def sha256_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def training_of(job: Path) -> str:
    """Tells trainings apart: the base model, and every sample. Rates and machines may change between two runs."""
    facts = json.loads((job / "job.json").read_text())
    sha256 = hashlib.sha256(str(facts["modelId"]).encode())
    data = job / "data/train.jsonl"
    if data.exists():
        sha256.update(sha256_of(data).encode())
    return sha256.hexdigest()


def by_megatron(output: Path) -> bool:
    return (output.parent / "megatron.yaml").exists()


def step_of(path: Path) -> int:
    """Of checkpoint-120, and of Megatron-LM's iter_0000120."""
    return int(path.name.replace("_", "-").rpartition("-")[2])


def folder_of(output: Path, step: int) -> Path:
    """Where the program that trains looks for a checkpoint."""
    return output / (f"checkpoints/iter_{step:07d}" if by_megatron(output) else f"checkpoint-{step}")


def whole_checkpoints(output: Path) -> list[Path]:
    pattern = "checkpoints/iter_*" if by_megatron(output) else "checkpoint-*"
    return sorted((path.parent for path in output.glob(f"{pattern}/{WHOLE}")), key=step_of)


def name_newest(checkpoint: Path) -> None:
    """Megatron-LM goes on from what these two files name, whatever else is there."""
    state = checkpoint / "train_state.pt"
    if state.exists():
        shutil.copyfile(state, checkpoint.parent / "latest_train_state.pt")
    (checkpoint.parent / "latest_checkpointed_iteration.txt").write_text(str(step_of(checkpoint)))


def evaluated(output: Path, step: int) -> dict:
    """The loss of a checkpoint on samples that are not learnt, where it was looked for at its step."""
    path = output / "progress.jsonl"
    text = path.read_text() if path.exists() else ""
    # The last line may be one that is just being written.
    lines = [json.loads(line) for line in text.splitlines() if '"eval_loss"' in line and line.endswith("}")]
    # One that has diverged has no loss that could be the least.
    losses = [line["eval_loss"] for line in lines if line["step"] == step and line["eval_loss"] is not None]
    return {"evalLoss": losses[-1]} if losses else {}


def worth_keeping(older: list[dict], newest: dict) -> list[dict]:
    """Of the older ones: the last, and the best of all where that is not the newest."""
    ordered = sorted(older, key=lambda one: one["step"])
    measured = [one for one in [*ordered, newest] if "evalLoss" in one]
    kept = ordered[len(ordered) - LAST_KEPT + 1 :]
    best = min(measured, key=lambda one: one["evalLoss"], default=newest)
    return kept if best is newest or best in kept else [best, *kept]


class Store:
    """The prefix of one training."""

    def __init__(self, output: Path, uri: str):
        self.output = output
        self.training = training_of(output.parent)
        self.bucket, _, self.prefix = uri.removeprefix("s3://").partition("/")
        self.uri = uri
        retries = {"mode": "standard", "max_attempts": 6}
        self.s3 = boto3.client("s3", config=Config(retries=retries, connect_timeout=10, read_timeout=60))

    def newest(self) -> tuple[dict | None, str | None]:
        """What newest.json says, and its ETag. @throws Unusable when it is of another training"""
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=self.prefix + NEWEST)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None, None
            raise
        newest = json.load(answer["Body"])
        if newest.get("schemaVersion") != 1:
            raise Unusable(f"{self.uri}{NEWEST} is not of this version")
        if newest["training"] != self.training:
            raise Unusable(f"{self.uri} has the checkpoints of another training: other samples, or another model")
        if not isinstance(newest["step"], int):
            raise Unusable(f"{self.uri}{NEWEST} names no step")
        return newest, answer["ETag"]

    def send_folder(self, folder: Path, name: str) -> dict:
        files = []
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            inside = path.relative_to(folder).as_posix()
            key = f"{self.prefix}{name}/{inside}"
            # boto3 sends a CRC with each part, and S3 refuses a part that does not have it.
            self.s3.upload_file(str(path), self.bucket, key)
            size = self.s3.head_object(Bucket=self.bucket, Key=key)["ContentLength"]
            if size != path.stat().st_size:
                raise OSError(f"{key} has {size} bytes in S3 and {path.stat().st_size} here")
            files.append({"path": inside, "bytes": size, "sha256": sha256_of(path)})
        return {"folder": name, "files": files}

    def fetch_folder(self, listed: dict, target: Path) -> None:
        """A folder that is there is whole: it comes under another name and is checked before."""
        if not FOLDERS.fullmatch(listed["folder"]):
            raise Unusable(f"{self.uri}{NEWEST} names a folder that no training leaves: {listed['folder']}")
        incoming = self.output / "incoming"
        shutil.rmtree(incoming, ignore_errors=True)
        for file in listed["files"]:
            inside = PurePosixPath(file["path"])
            if inside.is_absolute() or ".." in inside.parts:
                raise Unusable(f"{self.uri}{NEWEST} names a file outside of its folder: {inside}")
            path = incoming / inside
            path.parent.mkdir(parents=True, exist_ok=True)
            self.s3.download_file(self.bucket, f"{self.prefix}{listed['folder']}/{inside}", str(path))
            if sha256_of(path) != file["sha256"]:
                raise Unusable(f"{self.uri}{listed['folder']}/{inside} is not what was sent: its SHA-256 differs")
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        incoming.rename(target)
        os.sync()

    def push(self) -> dict | None:
        """What newest.json says from now on; None where nothing has changed."""
        newest, etag = self.newest()
        known = newest or {"schemaVersion": 1, "training": self.training, "step": 0}
        changed = self.push_checkpoint(known)
        changed = self.push_result(known) or changed
        # After what takes long: it has to have the steps up to the checkpoint, which the training has gone past meanwhile.
        self.push_text("progress.jsonl")
        if not changed:
            return None
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        body = json.dumps({**known, "writtenAt": round(time.time())}, indent=2) + "\n"
        # Two hosts that train the same would take turns else; the slower one is told.
        self.s3.put_object(Bucket=self.bucket, Key=self.prefix + NEWEST, Body=body.encode(), **condition)
        say(f"in S3      step {known['step']}: {self.uri}")
        return known

    def prune(self, known: dict) -> None:
        """Removes checkpoints that newest.json does not name. One that is being sent by another host is newer than all of them."""
        named = {one["folder"] for one in [*known.get("kept", []), known.get("checkpoint", {})] if one}
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{self.prefix}checkpoint-")
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        old = [key for key in keys if self.is_old(key.removeprefix(self.prefix).split("/")[0], named, known["step"])]
        for start in range(0, len(old), 1000):
            batch = {"Objects": [{"Key": key} for key in old[start : start + 1000]], "Quiet": True}
            errors = self.s3.delete_objects(Bucket=self.bucket, Delete=batch).get("Errors", [])
            if errors:
                raise OSError(f"older checkpoints stay in S3: {errors[0]['Code']} {errors[0]['Key']}")
        if old:
            folders = {key.removeprefix(self.prefix).split("/")[0] for key in old}
            say(f"removed    {', '.join(sorted(folders))} from S3")

    @staticmethod
    def is_old(folder: str, named: set[str], step: int) -> bool:
        number = folder.removeprefix("checkpoint-")
        return folder not in named and number.isdigit() and int(number) < step

    def push_text(self, name: str) -> None:
        path = self.output / name
        if path.exists():
            self.s3.put_object(Bucket=self.bucket, Key=self.prefix + name, Body=path.read_bytes())

    def push_checkpoint(self, known: dict) -> bool:
        whole = whole_checkpoints(self.output)
        if not whole or step_of(whole[-1]) <= known["step"]:
            return False
        newest, kept = whole[-1], self.output / "outgoing"
        # Links keep the files while the training removes its older checkpoints.
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(newest, kept, copy_function=os.link)
        try:
            step = step_of(newest)
            sent = {"step": step, **evaluated(self.output, step), **self.send_folder(kept, f"checkpoint-{step}")}
            older = known.get("kept", [])
            if "checkpoint" in known:
                older = [*older, {"step": known["step"], **known["checkpoint"]}]
            known.update(step=step, checkpoint=sent, kept=worth_keeping(older, sent))
        finally:
            shutil.rmtree(kept, ignore_errors=True)
        return True

    def push_result(self, known: dict) -> bool:
        end = self.output / "finished.json"
        if "result" in known or not end.exists():
            return False
        facts = json.loads(end.read_text())
        known.update(finished=facts, result=self.send_folder(self.output / facts["result"], facts["result"]))
        return True

    def pull(self) -> None:
        newest, _ = self.newest()
        if newest is None:
            return say(f"in S3      nothing yet: {self.uri}")
        own = whole_checkpoints(self.output)
        if (self.output / "finished.json").exists():
            return None
        if "result" in newest:
            self.fetch_folder(newest["result"], self.output / newest["result"]["folder"])
            (self.output / "finished.json").write_text(json.dumps(newest["finished"], indent=2) + "\n")
            return say(f"from S3    the result: {self.uri}{newest['result']['folder']}")
        if "checkpoint" not in newest or (own and step_of(own[-1]) >= newest["step"]):
            return None
        self.pull_progress(newest["step"])
        place = folder_of(self.output, newest["step"])
        self.fetch_folder(newest["checkpoint"], place)
        if by_megatron(self.output):
            name_newest(place)
        return say(f"from S3    step {newest['step']}: {self.uri}")

    def pull_progress(self, step: int) -> None:
        """The lines up to the checkpoint; those after it are written anew."""
        path = self.output / "progress.jsonl"
        text = self.s3.get_object(Bucket=self.bucket, Key=self.prefix + path.name)["Body"].read().decode()
        lines = [line for line in text.splitlines() if json.loads(line)["step"] <= step]
        path.write_text("".join(f"{line}\n" for line in lines))


def spot_notice() -> str | None:
    """When EC2 takes the host back, two minutes before (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html)."""
    if os.environ.get("AWS_EC2_METADATA_DISABLED") == "true":
        return None
    ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    try:
        ask = urllib.request.Request(f"{METADATA}/latest/api/token", headers=ttl, method="PUT")
        with urllib.request.urlopen(ask, timeout=2) as answer:
            token = {"X-aws-ec2-metadata-token": answer.read().decode()}
        ask = urllib.request.Request(f"{METADATA}/latest/meta-data/spot/instance-action", headers=token)
        with urllib.request.urlopen(ask, timeout=2) as answer:
            return str(json.load(answer)["time"])
    except (OSError, ValueError, KeyError):
        return None


def stop_for_spot(output: Path) -> bool:
    """Ends the training after its step, with a checkpoint, when EC2 takes the host back."""
    when = spot_notice()
    if when is None:
        return False
    say(f"EC2 takes this host back at {when}: the training stops with a checkpoint")
    (output / "stop").touch()
    return True


class Progress:
    """progress.jsonl in S3 between two checkpoints, for whoever asks how far it is: at most once a minute, when it has grown."""

    def __init__(self, output: Path, uri: str):
        self.output, self.uri, self.path = output, uri, output / "progress.jsonl"
        self.sent, self.due = 0, time.monotonic()

    def send(self) -> None:
        size = self.path.stat().st_size if self.path.exists() else 0
        if size == self.sent or time.monotonic() < self.due:
            return
        self.due = time.monotonic() + 60
        try:
            store = Store(self.output, self.uri)
            # Not over that of another training.
            store.newest()
            store.push_text(self.path.name)
            self.sent = size
        except (*REFUSALS, Unusable):
            # The push of the next checkpoint says what is wrong.
            pass


def keep(output: Path, uri: str, minutes: float) -> int:
    """Pushes until it is told to end, or what started it is gone."""
    parent, told = os.getppid(), False
    progress = Progress(output, uri)
    while not ENDED.is_set() and os.getppid() == parent:
        due = time.monotonic() + minutes * 60
        while time.monotonic() < due and os.getppid() == parent and not ENDED.wait(min(5, minutes * 60)):
            told = told or stop_for_spot(output)
            progress.send()
        if not ENDED.is_set():
            push(output, uri, f"the training goes on; tried again in {minutes:g} min")
    for left in range(2, -1, -1):
        then = "tried again in 5 s" if left else "the last ones are on this host alone"
        if push(output, uri, then):
            return 0
        if left:
            time.sleep(5)
    return 1


def push(output: Path, uri: str, otherwise: str) -> bool:
    try:
        store = Store(output, uri)
        known = store.push()
    except (*REFUSALS, Unusable) as error:
        say(f"warning    checkpoints did not reach {uri} ({error}): {otherwise}")
        return False
    if known is not None:
        prune(store, known)
    return True


def prune(store: Store, known: dict) -> None:
    """They cost storage, and nothing depends on it: a host whose role is from before it might remove them goes on."""
    try:
        store.prune(known)
    except REFUSALS as error:
        say(f"warning    {error}: each costs its storage; berth up gives the host the right to remove them")


def pull(output: Path, uri: str) -> int:
    try:
        Store(output, uri).pull()
    except Unusable as error:
        say(f"error      {error}. Rename the job's folder, and it trains from the start beside it.")
        return 1
    except REFUSALS as error:
        if whole_checkpoints(output):
            say(f"warning    {uri} cannot be read ({error}): going on from what this host has")
            return 0
        say(f"error      whether there is a checkpoint to go on from cannot be told: {uri} cannot be read ({error})")
        say("           --sync-minutes 0 trains from the start, and keeps nothing in S3")
        return 1
    return 0


def main(action: str, output: str, uri: str, minutes: str = "15") -> int:
    if action == "pull":
        return pull(Path(output), uri)
    if action == "push":
        return 0 if push(Path(output), uri, "the other hosts cannot take them from there") else 1
    return keep(Path(output), uri, float(minutes))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
