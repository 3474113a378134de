import assert from "node:assert/strict";
import fc from "fast-check";
import { imageSpeed, type ImageWork } from "../../../components/throughput/image-speed.ts";

/** Dense 16-bit peaks, 10^12 operations a second. */
const peaks = { A100: 312, V100: 125, T4: 65 } as const;

const stableDiffusion15 = { teraOperationsPerPass: 0.678, passesPerStep: 2 } as const;
const sdxl = { teraOperationsPerPass: 5.98, passesPerStep: 2 } as const;

/**
 * Steps a second of Stable Diffusion 1.5 in PyTorch, the slowest and the fastest of four builds, by GPU and batch:
 * docs/source/en/optimization/torch2.0.md of github.com/huggingface/diffusers.
 */
const measured: readonly (readonly [keyof typeof peaks, number, number, number])[] = [
  ["A100", 1, 21.66, 49.74],
  ["A100", 4, 11.6, 17.27],
  ["A100", 16, 3.04, 4.68],
  ["V100", 1, 18.99, 22.17],
  ["V100", 4, 5.89, 6.86],
  ["V100", 16, 1.66, 1.92],
  ["T4", 1, 6.9, 7.56],
  ["T4", 4, 1.79, 2.03],
  ["T4", 16, 1 / 2.34, 1 / 1.99],
];

function seconds(work: ImageWork, gpu: keyof typeof peaks) {
  return imageSpeed(work, peaks[gpu]).batchSeconds;
}

describe("imageSpeed", () => {
  for (const [gpu, images, slowest, fastest] of measured) {
    it(`has what was measured of ${images} at once on ${gpu} in its range`, () => {
      const { low, high } = seconds({ ...stableDiffusion15, images, steps: 1 }, gpu);
      assert.ok(low <= 1 / fastest && 1 / slowest <= high, `${low} to ${high}`);
    });
  }

  it("has SDXL in 50 steps on an A100 in its range, which is no wider than a factor of 3.5", () => {
    const { low, high } = seconds({ ...sdxl, images: 1, steps: 50 }, "A100");
    // https://github.com/fal-ai/stable-diffusion-benchmarks: PyTorch compiled, and as it comes.
    assert.ok(low <= 5.132 && 5.933 <= high, `${low} to ${high}`);
    assert.ok(high / low < 3.5);
  });

  it("takes longer for more steps, and makes more an hour the more it makes at once", () => {
    const counts = fc.integer({ min: 1, max: 64 });
    fc.assert(
      fc.property(counts, counts, (steps, images) => {
        const at = imageSpeed({ ...sdxl, steps, images }, peaks.A100);
        const more = imageSpeed({ ...sdxl, steps: steps + 1, images: images + 1 }, peaks.A100);
        assert.ok(more.batchSeconds.low > at.batchSeconds.low);
        const batch = imageSpeed({ ...sdxl, steps, images: images + 1 }, peaks.A100);
        assert.ok(batch.imagesPerHour.low >= at.imagesPerHour.low);
        assert.ok(at.batchSeconds.low < at.batchSeconds.high);
      }),
    );
  });
});
