import assert from "node:assert/strict";
import fc from "fast-check";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { endpointPlanLines } from "../../../components/sagemaker-endpoint/endpoint-plan-text.ts";
import {
  planEndpoint,
  type EndpointRequest,
} from "../../../components/sagemaker-endpoint/endpoint-plan.ts";
import { loadServingImages } from "../../../components/sagemaker-endpoint/load-serving-images.ts";
import { UserError } from "../../../components/user-error.ts";

const request: EndpointRequest = {
  model: "qwen2.5-1.5b",
  env: "dev",
  region: "us-east-1",
  spot: true,
  leaseHours: 4,
  endpointMode: "serverless",
  minInstances: 0,
  maxInstances: 1,
};
const catalogue = loadCatalogue();
const plan = (change: Partial<EndpointRequest> = {}) =>
  planEndpoint({ ...request, ...change }, catalogue, {
    ...loadServingImages(),
    digests: undefined,
  });

function refused(change: Partial<EndpointRequest>): string {
  try {
    plan(change);
    return "";
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [error.message, ...error.problems, error.hint].join("\n");
  }
}

describe("an endpoint without instances", () => {
  it("takes the least memory that holds 4 bits a weight, in AWS's image for CPUs", () => {
    const { endpoint, engine, precision, weightsGiB } = plan();
    assert.deepEqual([engine, precision], ["llama.cpp", "q4_k_m"]);
    assert.equal(endpoint.serverless?.memoryMiB, 2048);
    assert.ok(weightsGiB > 0.8 && weightsGiB < 1, "of the GGUF file, not of the checkpoint");
    assert.match(endpoint.container.image, /\/llama-cpp:server-sagemaker-cpu-v1\.0$/);
    assert.equal(endpoint.container.inferenceAmiVersion, undefined);
    assert.equal(endpoint.container.environment["SM_LLAMA_CPP_N_GPU_LAYERS"], undefined);
    assert.equal(plan({ precision: "q8_0" }).endpoint.serverless?.memoryMiB, 3072);
    assert.equal(plan({ model: "demo-llama-60m" }).precision, "fp16", "GGUF files as they are");
  });

  it("has a container for each request at once, and costs at most what all of them do", () => {
    const one = plan();
    const five = plan({ concurrency: 5, serverless: { provisionedConcurrency: 2 } });
    // 2 GiB at $0.00002 a GiB-second.
    assert.equal(one.hourlyUsd, 0.144);
    assert.equal(plan({ concurrency: 5 }).hourlyUsd, 0.72);
    // Two that are kept warm cost all the time, answers or not.
    assert.equal(five.hourlyUsd, 1.008);
    assert.equal(five.leaseUsd, 4.032);
    assert.equal(five.endpoint.container.environment["SM_LLAMA_CPP_PARALLEL"], "1");
    const text = endpointPlanLines(five).join("\n");
    assert.match(text, /up to 5 containers of 2048 MiB on the CPU, with one request each; 2 kept/);
    assert.match(text, /^requests {3}1,000 of 10 s each cost \$0\.4000, of 60 s \$2\.40/m);
    assert.match(text, /^quota {6}"Maximum total concurrency .*", 5 at least$/m);
  });

  it("needs a price where berth knows none", () => {
    assert.match(refused({ region: "eu-west-1" }), /serverlessUsdPerGiBSecond: no price is known/);
    const own = { region: "eu-west-1", serverless: { usdPerGiBSecond: 0.00003 } };
    assert.equal(plan(own).hourlyUsd, 0.216);
  });

  it("refuses what is too large with what would fit, and never grants less than is needed", () => {
    const text = refused({ model: "qwen2.5-14b" });
    assert.match(text, /6144 MiB of memory at most, and it needs \d+/);
    assert.match(text, /5 GB of disk, and its weights are 9\.0 GB/);
    assert.match(text, /These fit: llama-3-8b, .*and what is smaller/);
    assert.match(refused({ serverless: { memoryMiB: 1024 } }), /1024, and \d+ MiB are needed/);
    assert.match(refused({ model: "stable-diffusion-1.5" }), /serves text alone/);
    const texts = catalogue.models.filter(({ task }) => task === "text-generation");
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.integer({ min: 64, max: 4096 }),
        (model, tokens) => {
          const contextTokens = Math.min(tokens, model.maxContextTokens ?? 64);
          let planned;
          try {
            planned = plan({ model: model.id, contextTokens });
          } catch (error) {
            assert.ok(error instanceof UserError);
            return;
          }
          const { demand, endpoint } = planned;
          assert.ok((endpoint.serverless?.memoryMiB ?? 0) >= demand.totalMiB);
          assert.ok(demand.weightsMiB / 1024 >= planned.weightsGiB - 0.01);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("refuses all that SageMaker excludes at once, and its own settings elsewhere", () => {
    const text = refused({
      ...{ minInstances: 1, instanceTypes: ["g5.xlarge"], inVpc: true, ownKey: true },
      ...{ captureDataPercent: 5, concurrency: 201, updateStrategy: "rolling" },
      serverless: { provisionedConcurrency: 202 },
    });
    for (const setting of [
      ...["instanceTypes", "minInstances", "subnetIds", "kmsKeyArn", "captureDataPercent"],
      ...["updateStrategy", "concurrency: 201", "provisionedConcurrency: 202 is above"],
    ]) {
      assert.ok(text.includes(setting), setting);
    }
    const elsewhere = { endpointMode: "realtime" as const, minInstances: 1, model: "qwen2.5-7b" };
    const own = { memoryMiB: 2048, archive: "qwen/model.tar.gz" };
    const problem = refused({ ...elsewhere, serverless: own });
    assert.match(problem, /serverlessMemoryMiB: it is for endpointMode serverless/);
    assert.match(problem, /weightsArchive: it is for endpointMode serverless/);
  });
});
