import assert from "node:assert/strict";
import fc from "fast-check";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import {
  endpointName,
  variantLimits,
  variantSizes,
} from "../../../components/sagemaker-endpoint/endpoint-limits.ts";
import { endpointPlanLines } from "../../../components/sagemaker-endpoint/endpoint-plan-text.ts";
import { hostingCatalogue } from "../../../components/sagemaker-endpoint/hosting-catalogue.ts";
import { hourlyUsdOn } from "../../../components/sagemaker-endpoint/instance-pools.ts";
import type { EndpointRequest } from "../../../components/sagemaker-endpoint/endpoint-plan.ts";
import { parseImageAddress } from "../../../components/container-images/image-address.ts";
import { decide } from "../../../components/sizing/decide.ts";
import { UserError } from "../../../components/user-error.ts";
import { plan, problemsOf, request, shipped } from "./planned.ts";

describe("planEndpoint", () => {
  it("plans a type of hosting at its own price, on demand, with one rung", () => {
    const { ladder, hourlyUsd, leaseUsd, endpoint } = plan();
    const [chosen] = ladder;
    assert.equal(ladder.length, 1);
    assert.equal(chosen.instanceType, "ml.g6.xlarge");
    assert.equal(chosen.purchase, "on-demand");
    assert.equal(hourlyUsd, 1.1267);
    assert.equal(leaseUsd, 4.5068);
    assert.equal(endpoint.ec2HourlyUsd, 0.8048);
    assert.equal(endpoint.quotaName, "ml.g6.xlarge for endpoint usage");
    assert.ok(endpoint.alternatives.every(({ instanceType }) => instanceType.startsWith("ml.")));
  });

  it("does not send to Capacity Blocks for a type that only EC2 sells so", () => {
    const types = { instanceTypes: ["ml.p5e.48xlarge"] };
    const { rejected } = decide({ ...request, ...types }, hostingCatalogue(loadCatalogue()));
    const reasons = rejected.filter(({ kind }) => kind === "no-price").map((one) => one.reason);
    assert.deepEqual(reasons, ["no price is known in any region"]);
  });

  it("counts every instance that may run", () => {
    assert.equal(plan({ maxInstances: 3 }).hourlyUsd, 3.3801);
  });

  it("pins AWS's image of the region, with the driver that its CUDA needs", () => {
    const { container } = plan({ region: "eu-west-1" }).endpoint;
    assert.match(
      container.image,
      /^763104351884\.dkr\.ecr\.eu-west-1\.amazonaws\.com\/vllm:server-sagemaker-cuda-v\d+\.\d+$/,
    );
    assert.equal(container.inferenceAmiVersion, "al2023-ami-sagemaker-inference-gpu-4-1");
    assert.equal(container.requestForm, "completion");
  });

  it("takes that image by its digest where a refresh has read it, and says which it is", () => {
    const byTag = plan().endpoint.container.image;
    assert.match(
      endpointPlanLines(plan()).join("\n"),
      /^image {6}763\S+:server-\S+, by its tag: "berth catalogue refresh" reads the digest$/m,
    );
    const digest = `sha256:${"a".repeat(64)}`;
    const known = { [byTag]: { digest, asOf: "2026-11-26", source: "ECR" } };
    const pinned = plan({}, { ...shipped, digests: { schemaVersion: 1, images: known } });
    const { image, inferenceAmiVersion } = pinned.endpoint.container;
    assert.ok(image.endsWith(`/vllm@${digest}`), image);
    assert.match(inferenceAmiVersion ?? "", /gpu-4-1$/);
    assert.match(
      endpointPlanLines(pinned).join("\n"),
      /^image {6}\S+@sha256:a{64}, which is server-sagemaker-cuda-v\S+ of 2026-11-26$/m,
    );
  });

  it("tells the container what was planned", () => {
    const planned = plan({ contextTokens: 8192, concurrency: 2, gpuCount: 4 });
    assert.deepEqual(planned.endpoint.container.environment, {
      SM_VLLM_MODEL: "/opt/ml/model",
      SM_VLLM_SERVED_MODEL_NAME: "qwen2.5-7b",
      SM_VLLM_MAX_MODEL_LEN: "8192",
      SM_VLLM_MAX_NUM_SEQS: "2",
      SM_VLLM_TENSOR_PARALLEL_SIZE: String(planned.ladder[0].tensorParallel),
    });
    const llama = plan({ model: "demo-llama-60m", concurrency: 3 }).endpoint.container;
    assert.equal(llama.environment["SM_LLAMA_CPP_CTX_SIZE"], String(512 * 3));
    assert.equal(llama.requestForm, "chat");
  });

  it("tells the same to AWS's image of LMI, by its own names", () => {
    const asked = { contextTokens: 8192, concurrency: 2, precision: "int4" };
    const lmi = plan({ ...asked, servingImage: "lmi" }).endpoint.container;
    assert.match(lmi.image, /\/djl-inference:0\.36\.0-lmi27\.0\.0-cu130$/);
    const { OPTION_MAX_MODEL_LEN, OPTION_MAX_ROLLING_BATCH_SIZE, OPTION_QUANTIZE } =
      lmi.environment;
    assert.deepEqual(
      [OPTION_MAX_MODEL_LEN, OPTION_MAX_ROLLING_BATCH_SIZE, OPTION_QUANTIZE],
      ["8192", "2", "bitsandbytes"],
    );
    assert.equal(lmi.environment["HF_MODEL_ID"], "/opt/ml/model");
    const variants = [{ name: "lmi", share: 10, servingImage: "lmi" as const }];
    const [further] = plan({ variants }).endpoint.further;
    assert.match(further?.container.image ?? "", /\/djl-inference:/);
    assert.throws(() => plan({ model: "demo-llama-60m", servingImage: "lmi" }), {
      message: /The image of lmi does not serve demo-llama-60m, which has GGUF files/,
    });
    const without = { endpointMode: "serverless" as const, minInstances: 0, servingImage: "lmi" };
    assert.match(problemsOf(without as Partial<EndpointRequest>), /servingImage: not with/);
  });

  it("has the container make the precision that was computed with, and refuses what it does not make", () => {
    const quantised = (precision: string) =>
      plan({ precision }).endpoint.container.environment["SM_VLLM_QUANTIZATION"];
    assert.deepEqual(["auto", "bf16", "int4", "fp8"].map(quantised), [
      ...[undefined, undefined, "bitsandbytes", "fp8"],
    ]);
    assert.match(problemsOf({ precision: "int8" }), /vllm does not make int8 of bf16 weights/);
  });

  it("takes types with and without their prefix", () => {
    for (const name of ["g5.2xlarge", "ml.g5.2xlarge"]) {
      assert.equal(plan({ instanceTypes: [name] }).ladder[0].instanceType, "ml.g5.2xlarge");
    }
  });

  it("lets further types stand in, that split the model alike, at the price of the dearest", () => {
    const { endpoint, hourlyUsd } = plan({ fallbackTypes: 3 });
    assert.equal(endpoint.pools.length, 4);
    assert.equal(endpoint.pools[0]?.instanceType, "ml.g6.xlarge");
    assert.equal(hourlyUsd, Math.max(...endpoint.pools.map((pool) => pool.hourlyUsd)));
    assert.equal(hourlyUsdOn(endpoint, "ml.g6.xlarge"), 1.1267);
    assert.equal(hourlyUsdOn(endpoint, "ml.t2.medium"), hourlyUsd);
    const text = endpointPlanLines(plan({ fallbackTypes: 1 })).join("\n");
    assert.match(text, /^types {6}the first with capacity of ml\.g6\.xlarge \(\$1\.13\), ml\./m);
    assert.match(text, /^price {6}at most /m);
  });

  it("never plans a GPU on which CUDA 13 does not run", () => {
    assert.throws(() => plan({ instanceTypes: ["ml.p3.2xlarge"] }), UserError);
  });

  it("refuses all that cannot be at once", () => {
    const imageUri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1";
    const text = problemsOf({ minInstances: 0, imageUri });
    assert.match(text, /minInstances: 0 is for endpointMode async/);
    assert.match(text, /imageUri: it is in eu-west-1, and SageMaker pulls from its own region/);
    assert.match(problemsOf({ minInstances: 3, maxInstances: 2 }), /minInstances: 3 is above/);
    assert.match(problemsOf({ imageUri: "vllm/vllm-openai:latest" }), /no image of ECR/);
  });

  it("says what it will be, what it costs against EC2, and which quota counts it", () => {
    const text = endpointPlanLines(plan()).join("\n");
    assert.match(text, /^type {7}ml\.g6\.xlarge: 1 x L4/m);
    assert.match(text, /^against {4}\$0\.8048 an hour for the same GPU on EC2: 40 % more$/m);
    assert.match(text, /^quota {6}"ml\.g6\.xlarge for endpoint usage", 1 at least$/m);
    assert.match(text, /^updates {4}all-at-once, no alarms; 1 more instance meanwhile$/m);
    assert.doesNotMatch(text, /volume of/);
  });
});

describe("variantSizes", () => {
  const type = { instanceType: "ml.g5.48xlarge", localNvmeGB: 7600, networkGbps: 100 };

  it("gives every model that SageMaker can fetch in time a timeout that it allows", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 350, noNaN: true }), (weightsGiB) => {
        const sizes = variantSizes(weightsGiB, type);
        for (const seconds of [sizes.downloadTimeoutSeconds, sizes.startupTimeoutSeconds]) {
          assert.ok(seconds >= 600 && seconds <= variantLimits.mostSeconds);
        }
      }),
    );
  });

  it("asks for a volume only where the type has no disks of its own", () => {
    assert.equal(variantSizes(13, type).volumeGiB, undefined);
    assert.equal(variantSizes(13, { instanceType: "ml.p3.2xlarge" }).volumeGiB, 43);
  });

  it("refuses weights that do not fit the disk, or the hour", () => {
    const small = { instanceType: "ml.g4dn.xlarge", localNvmeGB: 125 };
    assert.throws(() => variantSizes(100, small), /too large for an endpoint of ml\.g4dn\.xlarge/);
    const slow = { instanceType: "ml.g5.8xlarge", localNvmeGB: 7600, networkGbps: 2.5 };
    assert.throws(
      () => variantSizes(1000, slow),
      ({ problems = [] }: { problems?: readonly string[] }) =>
        /fetching 1000 GiB takes 4\d{3} s at best, and SageMaker allows 3600/.test(
          problems[0] ?? "",
        ),
    );
  });

  it("says at what rate large weights have to come, where the type may have it", () => {
    const { downloadTimeoutSeconds, neededMiBPerSecond } = variantSizes(641, type);
    assert.deepEqual([downloadTimeoutSeconds, neededMiBPerSecond], [3600, 183]);
    assert.equal(variantSizes(100, type).neededMiBPerSecond, undefined);
    assert.match(
      endpointPlanLines(plan({ model: "deepseek-v3", gpuCount: 8 })).join("\n"),
      /^allows {5}3600 s for the weights, SageMaker's longest, in which they have to come at 18\d/m,
    );
  });
});

describe("endpointName", () => {
  it("is at most 63 characters", () => {
    assert.equal(endpointName("dev", "0123456789ab"), "dev-0123456789ab");
    assert.throws(() => endpointName("d".repeat(51), "0123456789ab"), /has 64 characters/);
  });
});

describe("parseImageAddress", () => {
  it("wants a tag or a digest", () => {
    const base = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/own";
    assert.deepEqual(parseImageAddress(`${base}:1.0`), {
      account: "123456789012",
      region: "us-east-1",
      repository: "team/own",
    });
    assert.ok(parseImageAddress(`${base}@sha256:${"a".repeat(64)}`));
    assert.equal(parseImageAddress(base), undefined);
  });
});
