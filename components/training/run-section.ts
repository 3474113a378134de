import type { FinetunePlan } from "./finetune-plan.ts";

const install = "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt";

/** The commands, on one host or on each of several. */
function commands({ machine, layout }: FinetunePlan): readonly string[] {
  const { nodes } = machine;
  if (nodes === 1) return [install, "./run.sh"];
  const bring =
    layout.framework === "megatron" ? [".venv/bin/python convert_megatron.py import"] : [];
  const once = bring.length === 0 ? [] : ["# once, on one host, without its GPUs", ...bring];
  return [
    install,
    ...once,
    `# on each of the ${nodes} hosts, NODE_RANK from 0 to ${nodes - 1}, at the same time`,
    "NODE_RANK=0 MASTER_ADDR=<address of host 0> ./run.sh",
  ];
}

function hostsText({ machine, layout, workload }: FinetunePlan): string {
  if (machine.nodes === 1) return "`run.sh` says how several machines do it together.";
  const fabric = machine.efa
    ? "with an Elastic Fabric Adapter on each and a security group that lets them reach each other on every port"
    : "in a security group that lets them reach each other on every port";
  const parts = layout.framework === "megatron" || workload.sharding?.startsWith("zero");
  const folder = parts
    ? "The folder has to lie there: each host writes a part of a checkpoint, and it is refused before the first step where they do not share it."
    : "Where each has a copy of the folder instead, the first one writes checkpoints and result, and the others need its newest checkpoint to go on.";
  return `The ${machine.nodes} hosts are of one type, in one cluster placement group, ${fabric}.
Put the folder on storage that they share, such as FSx for Lustre or EFS. ${folder}`;
}

function resultText({ layout, workload }: FinetunePlan): string {
  if (layout.framework === "megatron") {
    const made =
      workload.method === "full"
        ? "`output/model` is the new model"
        : "`output/adapter` is the adapter";
    return `At the end ${made}, as Hugging Face's libraries read it; \`.venv/bin/python convert_megatron.py export\` makes it of an earlier checkpoint.`;
  }
  return workload.method === "full"
    ? "`output/model` is the new model."
    : "`output/adapter` is the adapter. `python merge.py` puts it into the base model, as `output/model`.";
}

function settingsText({ layout }: FinetunePlan): string {
  return layout.framework === "megatron"
    ? `\`megatron.yaml\` has every setting, by the names of Megatron Bridge, whose sections are its classes. Both conversions hold the
whole model in the host's memory. Transformer Engine is built on the host when it is installed; NVIDIA's NeMo container has it.`
    : "`training.yaml` has every setting, by the names of TRL's SFTConfig and of `JobArguments` in train.py.";
}

function keptText({ layout, checkpointMinutes }: FinetunePlan): string {
  return layout.framework === "megatron"
    ? `It writes a checkpoint about every ${checkpointMinutes} minutes (\`save_interval\` steps). Ctrl-C ends it after the step, with a checkpoint.
The same command goes on from there.`
    : `It writes a checkpoint every ${checkpointMinutes} minutes and after each epoch, and \`output/progress.jsonl\` after each step. Ctrl-C ends it
after the step, with a checkpoint. The same command goes on from there, and after a kill from the newest whole checkpoint.`;
}

/** How the folder is run by hand, for its `README.md`. */
export function runSection(plan: FinetunePlan): string {
  return `## Run it

\`\`\`
${commands(plan).join("\n")}
\`\`\`

${keptText(plan)}
${hostsText(plan)} ${resultText(plan)}

${settingsText(plan)}
`;
}
