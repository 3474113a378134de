import type { FinetunePlan } from "./finetune-plan.ts";
import { megatronSettings } from "./megatron-settings.ts";
import { readmePage } from "./readme-page.ts";
import { runScript } from "./run-script.ts";
import { shardingFiles, type JobFile } from "./sharding-files.ts";
import { megatronRequirements, requirementsText } from "./software-pins.ts";
import { trainingSettings, type JobData } from "./training-settings.ts";

/** The Python programs of the folder, by their names. */
export type JobPrograms = Readonly<
  Record<
    "hosts.py" | "train.py" | "merge.py" | "card.py" | "train_megatron.py" | "convert_megatron.py",
    string
  >
>;

function needs({ workload }: FinetunePlan) {
  const { method, optimizer, sharding = "none" } = workload;
  return {
    bitsandbytes: method === "qlora" || optimizer === "adamw-8bit",
    deepspeed: sharding.startsWith("zero"),
  };
}

/** What only one of the two frameworks has. */
function ofFramework(plan: FinetunePlan, data: JobData, programs: JobPrograms): readonly JobFile[] {
  const program = (path: keyof JobPrograms) => ({ path, text: programs[path] });
  if (plan.layout.framework === "megatron") {
    return [
      { path: "megatron.yaml", text: megatronSettings(plan, data) },
      { path: "requirements.txt", text: megatronRequirements(plan.software) },
      program("train_megatron.py"),
      program("card.py"),
      program("convert_megatron.py"),
      ...(plan.workload.method === "full" ? [] : [program("merge.py")]),
    ];
  }
  return [
    { path: "training.yaml", text: trainingSettings(plan, data) },
    ...shardingFiles(plan),
    { path: "requirements.txt", text: requirementsText(plan.software, needs(plan)) },
    program("train.py"),
    program("card.py"),
    ...(plan.workload.method === "full" ? [] : [program("merge.py")]),
  ];
}

/** Every file of the folder but the data; the same plan gives the same bytes. */
export function jobFolder(
  plan: FinetunePlan,
  data: JobData,
  programs: JobPrograms,
): readonly JobFile[] {
  return [
    { path: "README.md", text: readmePage(plan, data) },
    { path: "job.json", text: `${JSON.stringify({ schemaVersion: 1, ...plan, data }, null, 2)}\n` },
    ...ofFramework(plan, data, programs),
    { path: "hosts.py", text: programs["hosts.py"] },
    { path: "run.sh", text: runScript(plan), executable: true },
  ];
}
