import type { Range } from "../range.ts";
import { denoiserShare, stepOverheadMs } from "./efficiency.ts";

/** What is made, and how. */
export interface ImageWork {
  /** 10^12 operations of one pass of the denoiser over one image. */
  readonly teraOperationsPerPass: number;
  readonly passesPerStep: number;
  readonly steps: number;
  /** Images of one batch. */
  readonly images: number;
}

/** How long images take. */
export interface ImageSpeed {
  readonly steps: number;
  /** Images that are made together. */
  readonly images: number;
  /** From the request to the batch's last image. */
  readonly batchSeconds: Range;
  readonly imagesPerHour: Range;
}

/**
 * Steps of the denoiser, each as long as its arithmetic takes at the share of the peak that is reached in practice, and some
 * time for its launches. Text encoders and the decoder are not counted: they lie within the range.
 *
 * @param tflops dense 16-bit peak of the GPU, 10^12 operations a second
 */
export function imageSpeed(work: ImageWork, tflops: number): ImageSpeed {
  const { teraOperationsPerPass, passesPerStep, steps, images } = work;
  const operations = teraOperationsPerPass * passesPerStep * images;
  const batch = (share: number, overheadMs: number) =>
    steps * (operations / (tflops * share) + overheadMs / 1000);
  const batchSeconds = {
    low: batch(denoiserShare.high, stepOverheadMs.low),
    high: batch(denoiserShare.low, stepOverheadMs.high),
  };
  const perHour = (seconds: number) => (3600 * images) / seconds;
  const imagesPerHour = { low: perHour(batchSeconds.high), high: perHour(batchSeconds.low) };
  return { steps, images, batchSeconds, imagesPerHour };
}
