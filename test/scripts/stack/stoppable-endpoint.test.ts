import assert from "node:assert/strict";
import { outputsSchema } from "../../../scripts/stack/stack-outputs.ts";
import { endpointHourlyUsd } from "../../../scripts/stack/stoppable-endpoint.ts";

describe("endpointHourlyUsd", () => {
  it("leaves out the notebook, which rests when the endpoint is started", () => {
    const outputs = (notebook: object) =>
      outputsSchema.parse({
        hourlyUsd: 1.1767,
        plan: {
          modelId: "qwen2.5-7b",
          endpoint: { container: { requestForm: "completion" }, ...notebook },
        },
      });
    const notebook = { instanceType: "ml.t3.medium", hourlyUsd: 0.05, idleMinutes: 60 };
    assert.equal(endpointHourlyUsd(outputs({ notebook })), 1.1267);
    assert.equal(endpointHourlyUsd(outputs({})), 1.1767);
    assert.equal(endpointHourlyUsd({}), undefined);
  });
});
