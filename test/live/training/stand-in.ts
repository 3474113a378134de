import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readJobFolder, type JobFolder } from "../../../scripts/finetune/host-job.ts";
import type { ServingImage } from "../../../offline/cloud/cloud.ts";
import { motoPython } from "../../../offline/cloud/moto/environment.ts";

/**
 * Stands for a training: a step every tenth of a second with a loss that falls, a whole checkpoint each third step, an end in
 * order with 75, and the way on from its newest checkpoint, which it reads. What a kill leaves half written lies after each of
 * them, and the ones before are removed. From the start it would take minutes; from a checkpoint on it
 * takes fifteen steps more.
 */
const trainer = `#!/usr/bin/env bash
set -eu
cd "$(dirname "$0")"
mkdir -p output
cd output
if [ -f finished.json ]; then exit 0; fi
rm -f stop
step=0
for mark in checkpoint-*/whole; do
  [ -f "$mark" ] || continue
  at=$(basename "$(dirname "$mark")" | cut -d- -f2)
  if [ "$at" -gt "$step" ]; then step=$at; fi
done
if [ "$step" -gt 0 ]; then [ "$(cat "checkpoint-$step/state/model.bin")" = "weights of $step" ]; fi
echo "base $BASE_MODEL, host \${NODE_RANK:-0} of \${NNODES:-1}, from step $step"
trap 'touch stop' TERM INT
if [ -f ../wrong ]; then echo "ValueError: the samples have no column text" >&2; exit 1; fi
last=$((step > 0 ? step + 15 : 3000))
keep() {
  mkdir -p "checkpoint-$step/state" "checkpoint-$((step + 1))"
  echo "weights of $step" >"checkpoint-$step/state/model.bin"
  echo "half of it" >"checkpoint-$((step + 1))/model.bin"
  echo "$step" >"checkpoint-$step/whole"
  find . -maxdepth 1 -name 'checkpoint-*' ! -name "checkpoint-$step" ! -name "checkpoint-$((step + 1))" -exec rm -rf {} +
}
while [ "$step" -lt "$last" ]; do
  step=$((step + 1))
  # A signal goes to the whole group.
  sleep 0.1 || true
  echo "{\\"step\\": $step, \\"steps\\": $last, \\"time\\": $(date +%s), \\"loss\\": $((9000 - step)).5}" >>progress.jsonl
  if [ $((step % 3)) = 0 ]; then keep; fi
  if [ -e stop ] || [ "$(date +%s)" -ge "\${STOP_AT:-9999999999}" ]; then keep; exit 75; fi
done
mkdir -p adapter
echo "learnt at $step" >adapter/adapter.bin
echo '{"result": "adapter", "step": '"$step"'}' >finished.json
`;

/** What a folder of a fine-tuning is besides its trainer. */
const planned = {
  ...{ schemaVersion: 1, modelId: "tiny", baseModel: "owner/tiny", gated: false },
  machine: { instanceType: "g6.xlarge", gpuModel: "L4", purchase: "spot" },
  rootVolumeGiB: 60,
  workload: { sharding: "none" },
};

/** A folder as `berth finetune` writes it, with a stand-in for the training. */
export function writeStandIn(folder: string, change: object = {}, text = "one"): JobFolder {
  mkdirSync(join(folder, "data"), { recursive: true });
  writeFileSync(join(folder, "job.json"), JSON.stringify({ ...planned, ...change }));
  writeFileSync(join(folder, "run.sh"), trainer, { mode: 0o755 });
  for (const name of ["train.py", "training.yaml", "requirements.txt"]) {
    writeFileSync(join(folder, name), "");
  }
  writeFileSync(join(folder, "data/train.jsonl"), `${JSON.stringify({ text })}\n`);
  return readJobFolder(folder);
}

/** Stands for AWS's training image: a Python that has boto3, and a pip that has all that it is asked for. */
export async function standInImage(folder: string): Promise<ServingImage> {
  const bin = join(folder, "image-bin");
  mkdirSync(bin, { recursive: true });
  const python = await motoPython(() => undefined);
  const script = `#!/bin/sh\nif [ "$1 $2" = "-m pip" ]; then exit 0; fi\nexec ${python} "$@"\n`;
  writeFileSync(join(bin, "python3"), script);
  chmodSync(join(bin, "python3"), 0o755);
  const path = `PATH=${bin}:${process.env["PATH"] ?? ""}`;
  return { repository: "pytorch-training", command: ["env", path] };
}
