import assert from "node:assert/strict";
import fc from "fast-check";
import { clusterStep, clusterTime } from "../../../components/throughput/cluster-step.ts";
import type {
  ClusterLayout,
  ClusterMachine,
  ClusterWork,
} from "../../../components/throughput/cluster-traffic.ts";

const work: ClusterWork = {
  method: "full",
  activeParameters: 70e9,
  parameters: 70e9,
  trainedParameters: 70e9,
  layers: 80,
  hiddenSize: 8192,
  sequenceTokens: 2048,
  microBatch: 1,
  gradientCheckpointing: true,
  weightsSharded: false,
};
const layout: ClusterLayout = {
  framework: "megatron",
  nodes: 4,
  gpusPerNode: 8,
  tensorParallel: 8,
  pipelineParallel: 2,
  dataParallel: 2,
  virtualStages: 1,
  passes: 8,
};
const machine: ClusterMachine = { tflops: 312, nvlink: true, nvlinkGBs: 600, networkGbps: 400 };
const traffic = (step: ReturnType<typeof clusterStep>, kind: string) =>
  step.traffic.find((each) => each.kind === kind);

describe("clusterStep", () => {
  it("leaves a pipeline idle for (stages - 1) / (passes x groups) of its arithmetic", () => {
    assert.equal(clusterStep(work, layout, machine).bubble, 1 / 8);
    assert.equal(clusterStep(work, { ...layout, virtualStages: 4 }, machine).bubble, 1 / 32);
    const single = { ...layout, pipelineParallel: 1, dataParallel: 4 };
    assert.equal(clusterStep(work, single, machine).bubble, 0);
  });

  it("sends gradients and weights once a step, and FSDP three times a pass", () => {
    // Two groups of 8 x 2: each GPU's part is 70 B / 16 with 6 bytes, eight of them a host, half of it to the other host.
    const once = traffic(clusterStep(work, layout, machine), "data");
    assert.equal(once?.over, "network");
    assert.ok(Math.abs(once.gigabytes - ((70 * 6) / 16) * 8 * 0.5) < 1e-9);
    const fsdp = {
      ...layout,
      framework: "hugging-face",
      tensorParallel: 1,
      pipelineParallel: 1,
      dataParallel: 32,
      passes: 1,
    } as const;
    const each = traffic(clusterStep({ ...work, weightsSharded: true }, fsdp, machine), "data");
    assert.ok(Math.abs((each?.gigabytes ?? 0) - 70 * 8 * 0.75) < 1e-9);
  });

  it("keeps gradients on NVLink where the GPUs of a group are of one host", () => {
    const near = { ...layout, tensorParallel: 4, pipelineParallel: 4 };
    const data = traffic(clusterStep(work, near, machine), "data");
    assert.equal(data?.over, "nvlink");
  });

  it("is never faster on a slower network, and says a range that holds", () => {
    const gbps = fc.integer({ min: 25, max: 6400 });
    fc.assert(
      fc.property(gbps, gbps, (a, b) => {
        const at = (networkGbps: number) =>
          clusterStep(work, layout, { ...machine, networkGbps }).stepSeconds;
        const [slow, fast] = [at(Math.min(a, b)), at(Math.max(a, b))];
        assert.ok(fast.high <= slow.high && fast.low <= slow.low);
        assert.ok(slow.low <= slow.high);
      }),
      { numRuns: 50 },
    );
  });

  it("makes the time of all tokens", () => {
    const step = clusterStep(work, layout, machine);
    assert.equal(step.tokensPerStep, 16 * 2048);
    const { jobHours, tokensPerSecond } = clusterTime(step, { datasetTokens: 1e9, epochs: 2 });
    assert.ok(Math.abs(jobHours.low * 3600 * tokensPerSecond.high - 2e9) < 1);
    assert.ok(Math.abs(jobHours.high * 3600 * tokensPerSecond.low - 2e9) < 1);
  });
});
