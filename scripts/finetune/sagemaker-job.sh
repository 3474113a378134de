#!/usr/bin/env bash
# Runs a fine-tuning in the container of a SageMaker training job, one on each instance: the job's folder is the channel `job`,
# the base model the channel `base` where there is one. Checkpoints are kept in S3 as those of a GPU host are.
# Environment: CHECKPOINTS_URI SYNC_MINUTES STOP_AT END_AT BASE_REPOSITORY, see components/sagemaker-training.
# Ends with 0 when the training is finished, or stopped with a checkpoint to go on from.
set -euo pipefail
ml=${SAGEMAKER_BASE_DIR:-/opt/ml}
# On the volume of the job, as /opt/ml is (https://docs.aws.amazon.com/sagemaker/latest/dg/model-train-storage.html).
work=$(mktemp -d "${TMPDIR:-/tmp}/berth-job.XXXXXX")
mkdir -p "$ml/output"
failed() { # what SageMaker tells as the job's FailureReason
  echo "error      $1"
  echo "$1" >"$ml/output/failure"
  exit "${2:-1}"
}
cp -R "$ml/input/data/job/." "$work/"
cd "$work"
shared=
if [ -d "$ml/input/data/shared" ]; then
  # What each instance writes a part of; by the name of its place in S3, which is the job's folder's.
  shared=$ml/input/data/shared/$(basename "$CHECKPOINTS_URI")
  mkdir -p "$shared" || failed "the shared storage cannot be written to"
  ln -sfn "$shared" output
else
  mkdir -p output
fi

# Hosts of the job, this one's number among them, and the way between them.
read -r NNODES NODE_RANK MASTER_ADDR NCCL_SOCKET_IFNAME < <(python3 - "$ml/input/config/resourceconfig.json" <<'PYTHON'
import json, sys
facts = json.load(open(sys.argv[1]))
hosts = sorted(facts["hosts"], key=lambda name: (len(name), name))
print(len(hosts), hosts.index(facts["current_host"]), hosts[0], facts.get("network_interface_name", "eth0"))
PYTHON
)
export NNODES NODE_RANK MASTER_ADDR NCCL_SOCKET_IFNAME

# The image's own PyTorch stays: it is built for the drivers that SageMaker has.
python3 -m pip freeze --disable-pip-version-check 2>/dev/null | grep -iE '^torch==' >constraints.txt || true
grep -vE '^(torch==|--extra-index-url)' requirements.txt >packages.txt || true
echo "installing the packages of requirements.txt and tools/requirements.txt"
install() {
  python3 -m pip install --disable-pip-version-check --no-input --quiet --retries 5 --root-user-action ignore "$@" >pip.log 2>&1 ||
    failed "the packages could not be installed: $(tail -n 3 pip.log | tr '\n' ' ')"
}
install -c constraints.txt -r packages.txt
# Its packages have their hashes, and then all of a call must have them.
install -r tools/requirements.txt

BASE_MODEL=$BASE_REPOSITORY
if [ -d "$ml/input/data/base" ]; then BASE_MODEL=$ml/input/data/base; fi
export BASE_MODEL STOP_AT

bring() { # the newest checkpoint from S3, and the base model in Megatron-LM's form
  python3 tools/checkpoints.py pull output "$CHECKPOINTS_URI" >pull.log 2>&1 || {
    message=$(grep -m1 '^error' pull.log | sed 's/^error *//')
    failed "${message:-$(tail -n 3 pull.log)}"
  }
  cat pull.log
  if [ -n "$shared" ] && [ -f megatron.yaml ] && [ ! -d output/base ] && [ ! -f output/finished.json ]; then
    echo "bringing $BASE_MODEL to Megatron-LM's form, in the memory of this instance"
    python3 convert_megatron.py import >import.log 2>&1 || failed "$(tail -n 8 import.log)"
  fi
}
meet() { # meet open|wait: the first instance opens torchrun's port when all is there, and the others wait for that
  python3 - "$1" "$MASTER_ADDR" "${MASTER_PORT:-29500}" "$((NNODES - 1))" "$END_AT" <<'PYTHON'
import socket, sys, time
action, host = sys.argv[1:3]
port, others, end_at = map(int, sys.argv[3:])
if action == "open":
    with socket.create_server((host, port)) as server:
        for _ in range(others):
            server.accept()[0].close()
while action == "wait" and time.time() < end_at:
    try:
        socket.create_connection((host, port), timeout=10).close()
        break
    except OSError:
        time.sleep(1)
PYTHON
}
if [ -z "$shared" ]; then
  bring
elif [ "$NODE_RANK" = 0 ]; then
  bring
  meet open || failed "the other instances could not be met"
else
  meet wait
fi
keeper=
if [ "$NODE_RANK" = 0 ]; then
  python3 tools/checkpoints.py keep output "$CHECKPOINTS_URI" "$SYNC_MINUTES" &
  keeper=$!
fi

left=$((END_AT - $(date +%s)))
if [ "$left" -lt 1 ]; then left=1; fi
# The end of the lease holds whatever SageMaker does with the job's own limit.
timeout --signal=TERM --kill-after=90 "$left" bash ./run.sh > >(tee run.log) 2>&1 &
run=$!
told=
trap 'told=yes; kill -TERM "$run" 2>/dev/null || true' TERM INT
while true; do
  told=
  code=0
  wait "$run" || code=$?
  [ -n "$told" ] || break
done
if [ -n "$keeper" ]; then
  kill -TERM "$keeper" 2>/dev/null || true
  wait "$keeper" || true
fi
if [ "$code" -ne 0 ] && [ "$(date +%s)" -ge "$END_AT" ]; then
  echo "the lease ended before the step did; the newest checkpoint in S3 is what is kept"
  exit 0
fi
case $code in
0) echo "finished" ;;
75) echo "stopped with a checkpoint; the same start goes on from it" ;;
*) failed "$(grep -vE '^\s*$' run.log | tail -n 8)" "$code" ;;
esac
