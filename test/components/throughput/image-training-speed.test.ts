import assert from "node:assert/strict";
import fc from "fast-check";
import { imageTrainingSpeed } from "../../../components/throughput/image-training-speed.ts";

/** 10^12 operations of a pass at 512 and at 1,024 pixels, as the catalogue has them. */
const [sd, sdxl] = [0.678, 5.98];
const a100 = 312;

describe("imageTrainingSpeed", () => {
  // Images a second of 8 A100: README.md of github.com/mosaicml/diffusion; 16 at once on each is an assumption.
  for (const [pixels, perSecond] of [
    [256, 1100 / 8],
    [512, 290 / 8],
    [512, 290 / 8 / 1.4],
  ] as const) {
    it(`holds ${perSecond.toFixed(1)} images a second of Stable Diffusion 2 at ${pixels} pixels on an A100`, () => {
      const teraOperationsPerPass = sd * (pixels / 512) ** 2;
      const work = { teraOperationsPerPass, method: "full", images: 16 } as const;
      const { imagesPerHour } = imageTrainingSpeed({ ...work, gradientCheckpointing: false }, a100);
      const published = perSecond * 3600;
      assert.ok(imagesPerHour.low <= published && published <= imagesPerHour.high);
    });
  }

  // https://github.com/bmaltais/kohya_ss/issues/1730; 71 TFLOPS with 32-bit sums.
  for (const gradientCheckpointing of [false, true]) {
    it(`holds 1.2 s a step of LoRA for SDXL on an RTX 3090, ${gradientCheckpointing ? "with" : "without"} checkpoints`, () => {
      const work = { teraOperationsPerPass: sdxl, method: "lora", images: 1 } as const;
      const { stepSeconds } = imageTrainingSpeed({ ...work, gradientCheckpointing }, 71);
      assert.ok(stepSeconds.low <= 1.2 && 1.2 <= stepSeconds.high);
    });
  }

  it("takes no less time with more to do, and a range that holds", () => {
    const anyWork = fc.record({
      teraOperationsPerPass: fc.double({ min: 0.1, max: 60, noNaN: true }),
      method: fc.constantFrom("full", "lora"),
      gradientCheckpointing: fc.boolean(),
      images: fc.integer({ min: 1, max: 64 }),
    });
    fc.assert(
      fc.property(anyWork, fc.double({ min: 30, max: 2500, noNaN: true }), (work, tflops) => {
        const { stepSeconds } = imageTrainingSpeed(work, tflops);
        const more = imageTrainingSpeed({ ...work, images: work.images + 1 }, tflops).stepSeconds;
        const again = imageTrainingSpeed({ ...work, gradientCheckpointing: true }, tflops);
        assert.ok(stepSeconds.low <= stepSeconds.high);
        assert.ok(stepSeconds.low <= more.low && stepSeconds.high <= more.high);
        assert.ok(stepSeconds.high <= again.stepSeconds.high);
      }),
    );
  });
});
