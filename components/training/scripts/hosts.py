"""What several hosts have to agree on before they train together."""

import os
import sys
import time
from pathlib import Path

import torch.distributed as dist


def same_folder(output: Path) -> None:
    """Ends every rank when the hosts do not share the folder: each would keep a part of a checkpoint, and none all of it."""
    if int(os.environ.get("GROUP_WORLD_SIZE", "1")) == 1 or not dist.is_initialized():
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
            "The folder output is not the same on all hosts, so that no checkpoint would be whole. Put the job on storage "
            "that they share, such as FSx for Lustre or EFS, and run it there on each of them."
        )
