import assert from "node:assert/strict";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { loadShippedCatalogue } from "../../../components/catalogue/load.ts";
import { UserError } from "../../../components/user-error.ts";
import { checkStack } from "../../../scripts/finetune/tuned-model.ts";
import { parseSettings } from "../../../stacks/settings.ts";
import { goodConfig } from "../../support/builders.ts";

const base = findModel("qwen2.5-1.5b", loadShippedCatalogue());
const endpoint = { "berth:target": "sagemaker", "berth:model": base.id };

function stackOf(change: Readonly<Record<string, unknown>>, model = base) {
  return { settings: parseSettings({ stack: "dev", config: { ...goodConfig, ...change } }), model };
}

describe("A stack that is to serve a trained model", () => {
  it("is one of its base model, or of an earlier model of its name", () => {
    const realtime = { ...endpoint, "berth:endpointMode": "realtime" };
    checkStack(stackOf(realtime), base, "acme");
    checkStack(stackOf(realtime, { ...base, id: "acme" }), base, "acme");
    assert.throws(
      () => {
        checkStack(stackOf(realtime, { ...base, id: "other" }), base, "acme");
      },
      {
        message: "dev serves other, and the training began with qwen2.5-1.5b.",
      },
    );
  });

  it("is none whose archive would go on being served under the new name", () => {
    const serverless = {
      "berth:endpointMode": "serverless",
      "berth:weightsArchive": "base.tar.gz",
    };
    assert.throws(
      () => {
        checkStack(stackOf({ ...endpoint, ...serverless }), base, "acme");
      },
      (error) => error instanceof UserError && (error.hint ?? "").includes("docs/finetune.md"),
    );
  });
});
