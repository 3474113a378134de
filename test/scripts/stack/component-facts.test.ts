import assert from "node:assert/strict";
import { componentFacts } from "../../../scripts/stack/component-facts.ts";
import { factLine } from "../../../scripts/stack/endpoint-facts.ts";
import { outputsSchema } from "../../../scripts/stack/stack-outputs.ts";

const outputs = outputsSchema.parse({
  served: [
    { modelId: "qwen2.5-7b", requestForm: "completion", component: "e" },
    { modelId: "llama-3.1-8b", requestForm: "completion", component: "e-llama" },
  ],
  plan: {
    modelId: "qwen2.5-7b",
    ladder: [{ gpuCount: 4 }],
    endpoint: {
      container: { requestForm: "completion" },
      copy: { accelerators: 1 },
      pools: [{ hourlyUsd: 5.75 }],
      further: [{ copy: { accelerators: 2 }, minInstances: 0, maxInstances: 1 }],
    },
  },
});
const state = (name: string, copies: number) => ({
  ...{ name, copies },
  state: "InService",
  failure: "",
});
const componentLines = (shared: Parameters<typeof componentFacts>[0]) =>
  componentFacts(shared).map(factLine);

describe("componentFacts", () => {
  it("says what each model has of the hour, and what nobody reserved", () => {
    const states = [state("e", 1), state("e-llama", 1)];
    assert.deepEqual(componentLines({ outputs, states, instances: 1 }), [
      "component  qwen2.5-7b: InService, 1 copy, $1.44 of the hour",
      "component  llama-3.1-8b: InService, 1 copy, $2.88 of the hour",
      "idle       1 of 4 GPUs, $1.44 of the hour",
    ]);
  });

  it("says why a component failed", () => {
    const states = [{ ...state("e", 0), state: "Failed", failure: "no memory" }];
    const [first] = componentLines({ outputs, states, instances: 1 });
    assert.equal(first, "component  qwen2.5-7b: Failed, 0 copies, $0.0000 of the hour (no memory)");
  });

  it("says no shares where there are no instances, or no prices were recorded", () => {
    const states = [state("e", 0), state("e-llama", 0)];
    assert.deepEqual(componentLines({ outputs, states, instances: 0 }), [
      "component  qwen2.5-7b: InService, 0 copies",
      "component  llama-3.1-8b: InService, 0 copies",
    ]);
    const { plan, ...before } = outputs;
    const old = { ...before, plan: { ...plan!, endpoint: undefined } };
    const lines = componentLines({ outputs: old, states, instances: 1 });
    assert.ok(lines.every((line) => !line.includes("$") && !line.startsWith("idle")));
  });
});
