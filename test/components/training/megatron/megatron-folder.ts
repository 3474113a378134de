import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadShippedCatalogue } from "../../../../components/catalogue/load.ts";
import { decide } from "../../../../components/sizing/decide.ts";
import { finetunePlan } from "../../../../components/training/finetune-plan.ts";
import { jobFolder } from "../../../../components/training/job-folder.ts";
import { jobPrograms } from "../../../../scripts/finetune/job-folder-files.ts";

/** For PYTHONPATH: a Python with it takes a stand-in for Megatron-LM. */
export const megatronStandIn = fileURLToPath(new URL(".", import.meta.url));

/** Writes a folder of a training by Megatron-LM as `berth finetune` does. */
export function writeMegatronFolder(
  folder: string,
  {
    method = "full",
    nodes = 1,
  }: { readonly method?: "full" | "lora"; readonly nodes?: number } = {},
): void {
  const catalogue = loadShippedCatalogue();
  const request = {
    ...{ model: "llama-3.1-70b", env: "prod", region: "us-east-1", spot: false },
    ...{ leaseHours: undefined, task: "finetune" as const },
    nodes: { least: nodes, most: nodes },
    training: { method, framework: "megatron" as const },
    instanceTypes: ["p6-b300.48xlarge"],
  };
  const plan = finetunePlan(decide(request, catalogue), { fixedMicroBatch: false }, catalogue);
  const data = { schema: "messages", trainSamples: 9, validationSamples: 2 };
  mkdirSync(join(folder, "data"), { recursive: true });
  for (const { path, text, executable = false } of jobFolder(plan, data, jobPrograms())) {
    writeFileSync(join(folder, path), text, { mode: executable ? 0o755 : 0o644 });
  }
  for (const name of ["train", "validation"]) {
    writeFileSync(join(folder, `data/${name}.jsonl`), "{}\n");
  }
}
