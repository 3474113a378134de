import assert from "node:assert/strict";
import { endpointFacts, factLine, servedFacts } from "../../../scripts/stack/endpoint-facts.ts";
import { outputsSchema } from "../../../scripts/stack/stack-outputs.ts";

const outputs = outputsSchema.parse({
  endpointName: "dev-1",
  instanceType: "ml.g6.xlarge",
  served: [
    { modelId: "qwen2.5-7b", requestForm: "completion", variant: "AllTraffic" },
    { modelId: "llama-3.1-8b", requestForm: "completion", variant: "llama" },
  ],
  plan: {
    modelId: "qwen2.5-7b",
    endpoint: {
      container: { requestForm: "completion" },
      further: [{ name: "candidate", modelId: "qwen2.5-14b", minInstances: 1, maxInstances: 1 }],
    },
  },
});
const scope = { stack: "dev", region: "us-east-1", client: { region: "us-east-1" } };
const variant = (name: string, weight: number, wanted = 1) => ({
  ...{ name, weight, wanted },
  instances: 1,
});

describe("endpointFacts", () => {
  const lines = (state: Parameters<typeof endpointFacts>[1]) =>
    endpointFacts(outputs, state).map(factLine);

  it("tells why an endpoint failed, and of one that serves why its last change did", () => {
    assert.deepEqual(lines({ state: "Failed", why: "no capacity" }), [
      "endpoint   Failed (no capacity): dev-1 on ml.g6.xlarge",
    ]);
    assert.deepEqual(lines({ state: "InService", why: "rolled back", instances: 1 }), [
      "endpoint   InService: dev-1 on 1 x ml.g6.xlarge",
      "undone     its last change failed: rolled back",
    ]);
  });

  it("tells where it moves to, instances that are asked for, and what is kept warm", () => {
    const counts = { instances: 1, allInstances: 1, wanted: 3 };
    assert.deepEqual(lines({ state: "Updating", nextConfig: "dev-config-2", ...counts }), [
      "endpoint   Updating: dev-1 on 1 x ml.g6.xlarge, 3 are asked for",
      "moves to   dev-config-2",
    ]);
    const serverless = { memoryMiB: 2048, concurrency: 5, warm: 2 };
    assert.match(
      lines({ state: "InService", serverless }).join(),
      /dev-1, serverless, 5 at once with 2048 MiB each, 2 kept warm$/,
    );
  });
});

describe("servedFacts", () => {
  it("names every variant with its share and its instances, and a shadow", async () => {
    const state = {
      state: "InService",
      variants: [variant("AllTraffic", 3), variant("llama", 1, 2)],
      shadows: [variant("candidate", 0.25)],
    };
    assert.deepEqual((await servedFacts(scope, outputs, state)).map(factLine), [
      "variant    AllTraffic: 75 % of the requests, qwen2.5-7b on 1 instance",
      "variant    llama: 25 % of the requests, llama-3.1-8b on 1 instance, and 2 are asked for",
      "shadow     candidate: copies of 25 % of the requests, qwen2.5-14b on 1 instance",
    ]);
  });
});
