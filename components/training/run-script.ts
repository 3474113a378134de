import type { FinetunePlan } from "./finetune-plan.ts";

/**
 * Text of `run.sh`. A signal becomes the file output/stop, which the first rank sees between two steps: all ranks then end
 * together, with a checkpoint. torchrun itself would kill ranks that are still writing one.
 */
export function runScript({ machine }: FinetunePlan): string {
  return `#!/usr/bin/env bash
# Runs the training; the same command goes on from the newest whole checkpoint.
#   ./run.sh                                                       one machine with ${machine.gpuCount} GPUs
#   NNODES=2 NODE_RANK=0 MASTER_ADDR=10.0.0.5 ./run.sh             the first of two
#   BASE_MODEL=/data/model GPUS=1 STOP_AT=1700000000 ./run.sh      another place, another count, an end in order
# Ends with 0 when the training is finished, with 75 when it stopped before that and can go on.
set -euo pipefail
cd "$(dirname "$0")"
python=.venv/bin/python
[ -x "$python" ] || python=python3
nodes=\${NNODES:-1}
where=(--standalone --local-addr 127.0.0.1)
if [ "$nodes" -gt 1 ]; then
  where=(--nnodes "$nodes" --node-rank "\${NODE_RANK:?which of the nodes, from 0}" \\
    --master-addr "\${MASTER_ADDR:?address of node 0}" --master-port "\${MASTER_PORT:-29500}")
  # NCCL takes the Elastic Fabric Adapter where the machine has one (https://github.com/aws/aws-ofi-nccl).
  if command -v fi_info >/dev/null && fi_info -p efa >/dev/null 2>&1; then export FI_PROVIDER=efa; fi
fi
# Sequences of many lengths leave holes in PyTorch's allocator without it.
export PYTORCH_CUDA_ALLOC_CONF=\${PYTORCH_CUDA_ALLOC_CONF:-expandable_segments:True}
export TOKENIZERS_PARALLELISM=false HF_HUB_DISABLE_TELEMETRY=1
arguments=(--config training.yaml)
if [ -n "\${BASE_MODEL:-}" ]; then arguments+=(--base_model "$BASE_MODEL"); fi

mkdir -p output
rm -f output/stop
setsid "$python" -m torch.distributed.run "\${where[@]}" --nproc-per-node "\${GPUS:-${machine.gpuCount}}" \\
  train.py "\${arguments[@]}" "$@" &
job=$!
stop() {
  echo "stopping after this step, with a checkpoint; once more ends it at once"
  touch output/stop
  trap 'kill -KILL -- "-$job"' INT TERM
}
trap stop INT TERM
while true; do
  code=0
  wait "$job" || code=$?
  kill -0 "$job" 2>/dev/null || break
done
rm -f output/stop
[ "$code" -eq 0 ] || exit "$code"
[ -f output/finished.json ] || exit 75
`;
}
