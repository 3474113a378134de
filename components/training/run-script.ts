import type { FinetunePlan } from "./finetune-plan.ts";

/** How it is called, for its head. */
function usageOf({ machine }: FinetunePlan): string {
  const { nodes, gpuCount } = machine;
  const lines =
    nodes === 1
      ? [
          `#   ./run.sh                                                       one machine with ${gpuCount} GPUs`,
          "#   NNODES=2 NODE_RANK=0 MASTER_ADDR=10.0.0.5 ./run.sh             the first of two",
        ]
      : [
          `#   NODE_RANK=0 MASTER_ADDR=10.0.0.5 ./run.sh                      the first of ${nodes} hosts with ${gpuCount} GPUs each`,
          `#   NODE_RANK=${nodes - 1} MASTER_ADDR=10.0.0.5 ./run.sh                      the last of them; all in one folder that they share`,
        ];
  return lines.join("\n");
}

/** What the program is given besides the command line's own words. */
function argumentsOf({ layout }: FinetunePlan): string {
  return layout.framework === "megatron"
    ? `# Each tensor-parallel layer waits for its exchange in order with one queue (megatron/training/arguments.py of megatron-core 0.19.2).
export CUDA_DEVICE_MAX_CONNECTIONS=\${CUDA_DEVICE_MAX_CONNECTIONS:-1}
arguments=()`
    : `arguments=(--config training.yaml)
if [ -n "\${BASE_MODEL:-}" ]; then arguments+=(--base_model "$BASE_MODEL"); fi`;
}

/** What Megatron-LM needs before its training: the base model in its form, brought there once. */
function before({ layout, machine }: FinetunePlan): string {
  if (layout.framework !== "megatron" || machine.nodes > 1) return "";
  return `# In the memory of this host, and without its GPUs.
if [ ! -d output/base ] && [ ! -f output/finished.json ]; then "$python" convert_megatron.py import; fi
`;
}

/** What makes a trained model the result; a run that finds it trained does this alone. */
function after({ layout }: FinetunePlan): string {
  if (layout.framework !== "megatron") return "[ -f output/finished.json ] || exit 75";
  return `[ -f output/trained.json ] || [ -f output/finished.json ] || exit 75
if [ "\${NODE_RANK:-0}" -eq 0 ] && [ ! -f output/finished.json ]; then "$python" convert_megatron.py export; fi`;
}

/**
 * Text of `run.sh`. A signal becomes the file output/stop, which the first rank sees between two steps: all ranks then end
 * together, with a checkpoint. torchrun itself would kill ranks that are still writing one.
 */
export function runScript(plan: FinetunePlan): string {
  const { machine, layout } = plan;
  const { nodes, gpuCount } = machine;
  const byMegatron = layout.framework === "megatron";
  const program = byMegatron ? "train_megatron.py" : "train.py";
  return `#!/usr/bin/env bash
# Runs the training; the same command goes on from the newest whole checkpoint.
${usageOf(plan)}
#   BASE_MODEL=/data/model GPUS=1 STOP_AT=1700000000 ./run.sh      another place, another count, an end in order
# Ends with 0 when the training is finished, with 75 when it stopped before that and can go on.
set -euo pipefail
cd "$(dirname "$0")"
python=.venv/bin/python
[ -x "$python" ] || python=python3
nodes=\${NNODES:-${nodes}}
where=(--standalone --local-addr 127.0.0.1)
if [ "$nodes" -gt 1 ]; then
  where=(--nnodes "$nodes" --node-rank "\${NODE_RANK:?which of the nodes, from 0}" \\
    --master-addr "\${MASTER_ADDR:?address of node 0}" --master-port "\${MASTER_PORT:-29500}")
  # NCCL takes the Elastic Fabric Adapter where the machine has one (https://github.com/aws/aws-ofi-nccl). Its huge pages make
  # a fork of the data loader run out of memory (https://github.com/aws-samples/awsome-distributed-training, EFA cheatsheet).
  if command -v fi_info >/dev/null && fi_info -p efa >/dev/null 2>&1; then
    export FI_PROVIDER=efa FI_EFA_USE_HUGE_PAGE=\${FI_EFA_USE_HUGE_PAGE:-0}
    export NCCL_SOCKET_IFNAME=\${NCCL_SOCKET_IFNAME:-^docker0,lo}
  elif command -v nvidia-smi >/dev/null; then
    echo "no Elastic Fabric Adapter is seen: the hosts exchange over TCP, many times slower" >&2
  fi
fi
# Sequences of many lengths leave holes in PyTorch's allocator without it.
export PYTORCH_CUDA_ALLOC_CONF=\${PYTORCH_CUDA_ALLOC_CONF:-expandable_segments:True}
export TOKENIZERS_PARALLELISM=false HF_HUB_DISABLE_TELEMETRY=1
${argumentsOf(plan)}

mkdir -p output
# The first host alone: another one may start when somebody has asked for the end already.
if [ "\${NODE_RANK:-0}" -eq 0 ]; then rm -f output/stop; fi
${before(plan)}setsid "$python" -m torch.distributed.run "\${where[@]}" --nproc-per-node "\${GPUS:-${gpuCount}}" \\
  ${program} "\${arguments[@]}" "$@" &
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
${after(plan)}
`;
}
