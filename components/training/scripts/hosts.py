"""What several hosts have to agree on before they train together."""

import os
import sys
import time
from pathlib import Path

import torch.distributed as dist


def _several() -> bool:
    return int(os.environ.get("GROUP_WORLD_SIZE", "1")) > 1 and dist.is_initialized()


def same_checkpoint(checkpoint: str | None) -> None:
    """Ends every rank when one host would begin where another goes on: they would train different models."""
    if not _several():
        return
    name = Path(checkpoint).name if checkpoint else "the start"
    names: list[str | None] = [None] * dist.get_world_size()
    dist.all_gather_object(names, name)
    if len(set(names)) == 1:
        return
    hosts = sorted({(rank // int(os.environ["LOCAL_WORLD_SIZE"]), str(each)) for rank, each in enumerate(names)})
    told = "; ".join(f"host {host}: {each}" for host, each in hosts)
    sys.exit(
        f"The hosts would not go on from the same checkpoint ({told}). Put the job on storage that they share, such as FSx "
        "for Lustre or EFS, or copy the first host's newest checkpoint to the others."
    )


def same_folder(output: Path) -> None:
    """Ends every rank when the hosts do not share the folder and each writes a part of a checkpoint: none would be whole."""
    if not _several():
        return
    token = [str(time.time_ns())]
    dist.broadcast_object_list(token, 0)
    mark = output / f".hosts-{token[0]}"
    if dist.get_rank() == 0:
        output.mkdir(parents=True, exist_ok=True)
        mark.touch()
    dist.barrier()
    seen = [False] * dist.get_world_size()
    dist.all_gather_object(seen, mark.exists())
    dist.barrier()
    if dist.get_rank() == 0:
        mark.unlink()
    if not all(seen):
        sys.exit(
            "The folder output is not the same on all hosts, and each of them writes a part of a checkpoint. Put the job on "
            "storage that they share, such as FSx for Lustre or EFS, and run it there on each of them."
        )
