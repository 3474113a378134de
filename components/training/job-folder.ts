import type { FinetunePlan } from "./finetune-plan.ts";
import { readmePage } from "./readme-page.ts";
import { runScript } from "./run-script.ts";
import { shardingFiles, type JobFile } from "./sharding-files.ts";
import { requirementsText } from "./software-pins.ts";
import { trainingSettings, type JobData } from "./training-settings.ts";

/** The Python programs of the folder, by their names. */
export type JobPrograms = Readonly<Record<"train.py" | "merge.py", string>>;

function needs({ workload }: FinetunePlan) {
  const { method, optimizer, sharding = "none" } = workload;
  return {
    bitsandbytes: method === "qlora" || optimizer === "adamw-8bit",
    deepspeed: sharding.startsWith("zero"),
  };
}

/** Every file of the folder but the data; the same plan gives the same bytes. */
export function jobFolder(
  plan: FinetunePlan,
  data: JobData,
  programs: JobPrograms,
): readonly JobFile[] {
  const merge =
    plan.workload.method === "full" ? [] : [{ path: "merge.py", text: programs["merge.py"] }];
  return [
    { path: "README.md", text: readmePage(plan, data) },
    { path: "job.json", text: `${JSON.stringify({ schemaVersion: 1, ...plan, data }, null, 2)}\n` },
    { path: "training.yaml", text: trainingSettings(plan, data) },
    ...shardingFiles(plan),
    { path: "requirements.txt", text: requirementsText(plan.software, needs(plan)) },
    { path: "train.py", text: programs["train.py"] },
    ...merge,
    { path: "run.sh", text: runScript(plan), executable: true },
  ];
}
