import assert from "node:assert/strict";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { UserError } from "../../../components/user-error.ts";
import { planning } from "../../../scripts/command-rows/planning.ts";
import type { PlanOptions } from "../../../scripts/plan/plan-flags.ts";
import { readPlanInputs } from "../../../scripts/plan/plan-inputs.ts";

const catalogue = loadCatalogue();

async function problemsOf(
  options: Partial<PlanOptions>,
  model = "llama-3.1-8b",
): Promise<readonly string[]> {
  try {
    await readPlanInputs(model, { env: "dev", ...options }, catalogue);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.length > 0 ? error.problems : [error.message];
  }
}

function optionOf(flag: string): string {
  return flag.slice(2).replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** These name a stack, or files that there may be; GPUs are tried in test/scripts/run-berth.test.ts. */
const withoutBadWords = new Set(["--env", "--config", "--html", "--gpus"]);
const flags = (planning.find(({ syntax }) => syntax.startsWith("plan"))?.flags ?? [])
  .map(([syntax]) => syntax)
  .filter((syntax) => syntax.includes("<"))
  .map((syntax) => syntax.split(" ")[0] ?? "")
  .filter((flag) => !withoutBadWords.has(flag));

describe("A flag of berth plan with a wrong value", () => {
  for (const flag of flags) {
    it(`is named as it was typed: ${flag}`, async () => {
      const training =
        /^--(train|opt|seq|batch|shard|off|lora|tok|ep|global|nodes|frame|tens|pipe)/;
      const task = training.test(flag) ? { task: "finetune" } : {};
      for (const value of ["-1.5", "no such thing"]) {
        const problems = await problemsOf({ ...task, [optionOf(flag)]: value });
        assert.ok(problems.length > 0, value);
        for (const problem of problems) assert.match(problem, new RegExp(`^${flag}\\b`));
      }
    });
  }
  it("of a list is one that names nothing, as an unset variable leaves it", async () => {
    for (const name of ["region", "zones", "types", "gpuFamily"]) {
      const [problem, ...others] = await problemsOf({ [name]: " , " });
      assert.match(problem ?? "", /names nothing/);
      assert.deepEqual(others, []);
    }
  });
});

describe("Flags of berth plan together", () => {
  it("are refused where they are of another task, or contradict each other", async () => {
    const told = async (options: Partial<PlanOptions>) => (await problemsOf(options)).join("\n");
    assert.match(await told({ batch: "4" }), /^--batch: is of a training; add --task/);
    assert.match(await told({ checkpointing: false }), /^--no-checkpointing: is of a training/);
    assert.match(await told({ task: "train", context: "4k" }), /^--context: is of a server/);
    assert.match(await told({ spot: true, onDemand: true }), /^--on-demand, --spot: one of them/);
    assert.match(await told({ gpus: "L4", local: true }), /^--gpus, --local: one of them/);
    assert.match(await told({ electricityUsdPerKwh: "0.2" }), /is of your own GPUs/);
  });

  it("are refused with a model that has nothing of what they ask for", async () => {
    assert.deepEqual(await problemsOf({ imageSteps: "20" }), [
      "--image-steps: says nothing of llama-3.1-8b, which makes no images",
    ]);
    const tokens = { context: "4k", promptTokens: "100", answerTokens: "10" };
    assert.deepEqual(
      await problemsOf(tokens, "sdxl"),
      ["--context", "--prompt-tokens", "--answer-tokens"].map(
        (flag) =>
          `${flag}: says nothing of stable-diffusion-xl-base-1.0, which makes images of one prompt`,
      ),
    );
    assert.deepEqual(await problemsOf({ imageSteps: "20", concurrency: "2" }, "sdxl"), []);
  });

  it("are told all at once, a wrong target and a wrong model among them", async () => {
    const options = { target: "azure", gpuCount: "0", maxHourlyUsd: "nonsense", context: "-1" };
    const problems = await problemsOf(options, "no-such-model");
    const told = ['The model "no-such-model"', "--target", "--max-hourly", "--context", "--gpu-c"];
    assert.equal(problems.length, told.length);
    for (const [index, start] of told.entries()) assert.ok(problems[index]?.startsWith(start));
  });

  it("are taken where they go together, also in the form 1e6", async () => {
    assert.deepEqual(await problemsOf({ method: "lora", batch: "4", tokens: "1e6" }), []);
    assert.deepEqual(await problemsOf({ task: "serve", context: "8k", spot: false }), []);
  });
});
