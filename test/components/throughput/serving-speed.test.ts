import assert from "node:assert/strict";
import fc from "fast-check";
import { eagerLayerOverheadMs } from "../../../components/throughput/efficiency.ts";
import {
  servingSpeed,
  type ServedModel,
  type ServingMachine,
} from "../../../components/throughput/serving-speed.ts";

const a100 = { bandwidthGBs: 2039, tflops: 312 };

/** Qwen2.5 by its configurations: parameters, layers, and cache of a token in 16 bit. */
const shapes = {
  "0.5B": { parameters: 494_032_768, layers: 24, kvBytesPerToken: 12_288 },
  "1.5B": { parameters: 1_543_714_304, layers: 28, kvBytesPerToken: 28_672 },
  "7B": { parameters: 7_615_616_512, layers: 28, kvBytesPerToken: 57_344 },
  "14B": { parameters: 14_770_033_664, layers: 48, kvBytesPerToken: 196_608 },
  "72B": { parameters: 72_706_203_648, layers: 80, kvBytesPerToken: 327_680 },
} as const;

/**
 * Tokens a second with vLLM 0.6.3 on A100-80GB, one sequence, 2,048 answer tokens:
 * https://qwen.readthedocs.io/en/v2.5/benchmark/speed_benchmark.html (size, prompt tokens, bytes a parameter, GPUs, tokens/s).
 */
const measured: readonly (readonly [keyof typeof shapes, number, number, number, number])[] = [
  ["0.5B", 1, 2, 1, 311.55],
  ["0.5B", 30_720, 2, 1, 264.51],
  ["1.5B", 1, 2, 1, 183.33],
  ["1.5B", 14_336, 2, 1, 168.69],
  ["7B", 1, 2, 1, 84.28],
  ["7B", 6144, 2, 1, 80.7],
  ["7B", 14_336, 2, 1, 77.69],
  ["7B", 30_720, 2, 1, 70.33],
  ["7B", 63_488, 2, 1, 50.86],
  ["14B", 1, 2, 1, 46.3],
  ["14B", 6144, 2, 1, 43.83],
  ["14B", 30_720, 2, 1, 37.18],
  ["72B", 1, 2, 4, 31.37],
  ["72B", 6144, 2, 4, 29.9],
  ["72B", 30_720, 2, 4, 27.53],
  ["7B", 1, 1.02, 1, 122.01],
  ["14B", 1, 1.02, 1, 70.4],
  ["72B", 1, 1.02, 2, 31.4],
  ["72B", 1, 0.57, 2, 46.3],
];

function served(size: keyof typeof shapes, bytes: number): ServedModel {
  const shape = shapes[size];
  return {
    ...shape,
    activeParameters: shape.parameters,
    weightBytes: shape.parameters * bytes,
  };
}

function machine(tensorParallel: number, nvlink = true): ServingMachine {
  return { gpu: a100, tensorParallel, pipelineParallel: 1, nvlink };
}

describe("servingSpeed", () => {
  for (const [size, promptTokens, bytes, gpus, tokensPerSecond] of measured) {
    it(`has Qwen2.5 ${size} (${bytes} bytes, ${gpus} GPUs, prompt ${promptTokens}) within its range`, () => {
      const request = { promptTokens, answerTokens: 2048, concurrency: 1 };
      const { totalTokensPerSecond } = servingSpeed(served(size, bytes), request, machine(gpus));
      const { low, high } = totalTokensPerSecond;
      assert.ok(low <= tokensPerSecond && tokensPerSecond <= high, `${low} to ${high}`);
    });
  }

  it("keeps its range under a factor of three for models of 7 billion parameters and more", () => {
    for (const size of ["7B", "14B", "72B"] as const) {
      const request = { promptTokens: 1024, answerTokens: 256, concurrency: 1 };
      const { tokensPerSecond } = servingSpeed(served(size, 2), request, machine(4));
      assert.ok(tokensPerSecond.high / tokensPerSecond.low < 3, size);
    }
  });

  it("has Llama 2 7B on one A100 as gpt-fast measured it", () => {
    const llama = {
      parameters: 6_738_415_616,
      activeParameters: 6_738_415_616,
      layers: 32,
      weightBytes: 13_476_831_232,
      kvBytesPerToken: 524_288,
    };
    const request = { promptTokens: 5, answerTokens: 200, concurrency: 1 };
    const { low, high } = servingSpeed(llama, request, machine(1)).tokensPerSecond;
    assert.ok(low <= 104.9 && 104.9 <= high, `${low} to ${high}`);
  });

  it("has Llama 3.1 8B under transformers on one H100 as it was measured: 61 ms a step", () => {
    const llama = {
      parameters: 8_030_261_248,
      activeParameters: 8_030_261_248,
      layers: 32,
      weightBytes: 16_060_522_496,
      kvBytesPerToken: 131_072,
      layerOverheadMs: eagerLayerOverheadMs,
    };
    const h100 = { bandwidthGBs: 3352, tflops: 989 };
    const request = { promptTokens: 4064, answerTokens: 32, concurrency: 1 };
    const { low, high } = servingSpeed(llama, request, {
      ...machine(1),
      gpu: h100,
    }).tokensPerSecond;
    assert.ok(low <= 1 / 0.061 && 1 / 0.061 <= high, `${low} to ${high}`);
  });

  it("is never faster with more to do or without NVLink", () => {
    const many = fc.integer({ min: 1, max: 200 });
    fc.assert(
      fc.property(many, many, fc.integer({ min: 1, max: 100_000 }), (concurrency, more, prompt) => {
        const ask = (sequences: number, nvlink = true) => {
          const request = { promptTokens: prompt, answerTokens: 256, concurrency: sequences };
          return servingSpeed(served("7B", 2), request, machine(4, nvlink));
        };
        const [few, most] = [ask(concurrency), ask(concurrency + more)];
        assert.ok(most.requestSeconds.low >= few.requestSeconds.low);
        assert.ok(most.tokensPerSecond.high <= few.tokensPerSecond.high);
        assert.ok(ask(concurrency, false).requestSeconds.high >= few.requestSeconds.high);
        assert.ok(few.requestSeconds.low <= few.requestSeconds.high);
      }),
    );
  });

  it("reads only some experts for one sequence, and never more than all", () => {
    const experts = { ...served("72B", 2), activeParameters: 10e9 };
    const ask = (concurrency: number) =>
      servingSpeed(experts, { promptTokens: 1, answerTokens: 256, concurrency }, machine(4));
    const dense = servingSpeed(
      served("72B", 2),
      { promptTokens: 1, answerTokens: 256, concurrency: 1 },
      machine(4),
    );
    assert.ok(ask(1).tokensPerSecond.low > 2 * dense.tokensPerSecond.low);
    assert.ok(ask(64).tokensPerSecond.low > 0);
  });
});
