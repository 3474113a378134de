import assert from "node:assert/strict";
import fc from "fast-check";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { componentCopy } from "../../../components/sagemaker-endpoint/component-copy.ts";
import { endpointPlanLines } from "../../../components/sagemaker-endpoint/endpoint-plan-text.ts";
import type { FurtherModel } from "../../../components/sagemaker-endpoint/further-models.ts";
import { instancesByType } from "../../../components/sagemaker-endpoint/instance-pools.ts";
import { instancesFor } from "../../../components/sagemaker-endpoint/shared-instances.ts";
import { plan, problemsOf } from "./planned.ts";

describe("a shadow of an endpoint", () => {
  const shadow = { name: "candidate", share: 25, model: "qwen2.5-14b", minInstances: 1 };

  it("is priced beside the variant that answers, which keeps all of the requests", () => {
    const planned = plan({ shadow });
    const [{ hourlyUsd, isShadow }] = planned.endpoint.further as [FurtherModel];
    assert.deepEqual([planned.endpoint.share, isShadow], [100, true]);
    assert.equal(planned.hourlyUsd, Number((plan({}).hourlyUsd + hourlyUsd).toFixed(4)));
    const text = endpointPlanLines(planned).join("\n");
    assert.match(text, /^variant {4}AllTraffic: 100 % of the requests/m);
    assert.match(
      text,
      /^shadow {5}candidate: copies of 25 % of the requests to qwen2\.5-14b .* go nowhere$/m,
    );
    assert.match(text, /1 of ml\.\S+ and a shadow/);
    assert.ok([...instancesByType(planned).values()].length === 2, "its instances are counted");
  });

  it("is refused where SageMaker has none", () => {
    assert.match(
      problemsOf({ shadow, endpointMode: "async" }),
      /shadow: it is for endpointMode real/,
    );
    const variants = [{ name: "long", share: 10 }];
    assert.match(problemsOf({ shadow, variants }), /shadow: not with variants/);
    const two = { minInstances: 2, maxInstances: 2, updateStrategy: "rolling" as const };
    assert.match(problemsOf({ shadow, ...two }), /with a shadow is moved all-at-once/);
    assert.match(problemsOf({ shadow: { ...shadow, name: "AllTraffic" } }), /is taken/);
  });
});

describe("variants of an endpoint", () => {
  const variants = [
    { name: "long", share: 10, context: 16_384 },
    { name: "large", share: 20, model: "qwen2.5-14b", maxInstances: 2 },
  ];

  it("are planned by themselves, and priced together", () => {
    const planned = plan({ variants });
    const { share, further } = planned.endpoint;
    const [long, large] = further;
    assert.equal(share, 70);
    assert.equal(long?.modelId, "qwen2.5-7b");
    assert.equal(long.container.environment["SM_VLLM_MAX_MODEL_LEN"], "16384");
    assert.notEqual(large?.instanceType, planned.ladder[0].instanceType);
    assert.equal(large?.contextTokens, 4096, "another model has its own default");
    const sum = [plan({}), ...further].reduce((total, { hourlyUsd }) => total + hourlyUsd, 0);
    assert.equal(planned.hourlyUsd, Number(sum.toFixed(4)));
    const counts = Object.fromEntries(instancesByType(planned));
    assert.equal(counts[planned.ladder[0].instanceType], 2);
    assert.equal(counts[large.instanceType], 2);
    const text = endpointPlanLines(planned).join("\n");
    assert.match(text, /^variant {4}AllTraffic: 70 % of the requests to qwen2\.5-7b/m);
    assert.match(text, /^updates .*; 4 more instances meanwhile$/m);
    assert.equal(text.match(/^quota /gm)?.length, 2);
  });

  it("are refused with what they do not go with, all at once", () => {
    const text = problemsOf({
      variants: [...variants, { name: "long", share: 80, minInstances: 3, maxInstances: 2 }],
      updateStrategy: "canary",
      minInstances: 2,
      maxInstances: 2,
      fallbackTypes: 1,
      endpointHours: "Mon-Fri 08:00-19:00 UTC",
    });
    for (const problem of [
      /variants: the name "long" is taken twice/,
      /variants: long: 3 at least are above 2/,
      /variants: their shares are 110 % together/,
      /updateStrategy: several variants/,
      /endpointHours: not with variants/,
      /fallbackTypes: not with variants/,
    ]) {
      assert.match(text, problem);
    }
    assert.match(problemsOf({ variants, endpointMode: "async" }), /in endpointMode realtime alone/);
    assert.match(
      problemsOf({ components: [{ name: "a", model: "qwen2.5-7b", share: 0 }] }),
      /components: they are for endpointMode components/,
    );
  });
});

describe("components on the same instances", () => {
  const components = [
    { name: "llama", model: "llama-3.1-8b", share: 0 },
    { name: "mistral", model: "mistral-7b-v0.3", share: 0, minInstances: 1, maxInstances: 2 },
  ];
  const shared = { endpointMode: "components" as const, minInstances: 0, components };

  it("have as few GPUs as hold them, on the type that costs least for all copies", () => {
    const { endpoint, ladder, hourlyUsd } = plan({ ...shared, gpuCount: 4 });
    assert.equal(ladder[0].instanceType, "ml.g6.12xlarge");
    assert.equal(ladder[0].gpuCount, 4);
    const copies = [endpoint, ...endpoint.further].map(({ copy }) => copy?.accelerators);
    assert.deepEqual(copies, [1, 1, 1]);
    assert.deepEqual(endpoint.instances, { least: 1, first: 1, most: 1 });
    assert.equal(hourlyUsd, ladder[0].hourlyUsd);
    assert.equal(endpoint.container.environment["SM_VLLM_TENSOR_PARALLEL_SIZE"], "1");
  });

  it("have an instance each where the types have one GPU", () => {
    const { endpoint, ladder, hourlyUsd } = plan({ ...shared, gpuCount: 1 });
    assert.deepEqual(endpoint.instances, { least: 1, first: 3, most: 4 });
    assert.equal(hourlyUsd, Number((ladder[0].hourlyUsd * 4).toFixed(4)));
  });

  it("never need more instances than copies, nor fewer than their GPUs fill", () => {
    const gpus = fc.constantFrom(1, 2, 4, 8);
    fc.assert(
      fc.property(fc.array(gpus, { maxLength: 20 }), (copies) => {
        const count = instancesFor(copies, 8);
        const sum = copies.reduce((total, each) => total + each, 0);
        // Powers of two that divide the instance leave no gap, the largest first.
        assert.equal(count, Math.ceil(sum / 8));
      }),
    );
  });

  it("ask for the memory that loading takes, at most their share of what SageMaker grants", () => {
    const model = findModel("qwen2.5-7b", loadCatalogue());
    assert.deepEqual(componentCopy(model, 1, { memoryGiB: 16, gpuCount: 1 }), {
      accelerators: 1,
      memoryMiB: 1024,
    });
    assert.equal(componentCopy(model, 1, { memoryGiB: 32, gpuCount: 1 }).memoryMiB, 8 * 1024);
    assert.equal(
      componentCopy(model, 1, { memoryGiB: 39, gpuCount: 4 }).memoryMiB,
      6 * 1024,
      "a quarter",
    );
    assert.equal(componentCopy(model, 2, { memoryGiB: 1000, gpuCount: 8 }).memoryMiB, 16 * 1024);
  });
});
