import assert from "node:assert/strict";
import fc from "fast-check";
import {
  operationsPerToken,
  trainingTime,
  type TrainingJob,
} from "../../../components/throughput/training-time.ts";

const job: TrainingJob = {
  method: "full",
  activeParameters: 7e9,
  gradientCheckpointing: true,
  datasetTokens: 1e8,
  epochs: 3,
};
const machine = { tflops: 312, gpuCount: 8, nvlink: true };

describe("operationsPerToken", () => {
  it("is 6 a parameter, 8 with activations made again, and 4 where the weights are frozen", () => {
    const plain = { ...job, gradientCheckpointing: false };
    assert.equal(operationsPerToken(plain), 42e9);
    assert.equal(operationsPerToken(job), 56e9);
    assert.equal(operationsPerToken({ ...plain, method: "lora" }), 28e9);
  });
});

describe("trainingTime", () => {
  it("multiplies epochs", () => {
    const { epochHours, jobHours } = trainingTime(job, machine);
    assert.ok(Math.abs(jobHours.low - 3 * epochHours.low) < 1e-9);
    // 1e8 tokens x 56e9 over 8 x 312e12 x 0.5.
    assert.ok(Math.abs(epochHours.low - (1e8 * 56e9) / (8 * 312e12 * 0.5) / 3600) < 1e-9);
  });

  it("is never shorter without NVLink, and never longer with more GPUs of one kind", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.boolean(), (gpuCount, nvlink) => {
        const one = trainingTime(job, { tflops: 312, gpuCount, nvlink: true });
        const other = trainingTime(job, { tflops: 312, gpuCount, nvlink });
        assert.ok(other.jobHours.high >= one.jobHours.high);
        const more = trainingTime(job, { tflops: 312, gpuCount: gpuCount * 2, nvlink: true });
        assert.ok(more.jobHours.high <= one.jobHours.high);
      }),
    );
  });
});
