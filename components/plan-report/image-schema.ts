import { z } from "zod";
import { rangeSchema } from "./layout-schema.ts";

/** How long images take. */
export const imageSpeedSchema = z
  .strictObject({
    steps: z.int().positive(),
    images: z.int().positive(),
    batchSeconds: rangeSchema,
    imagesPerHour: rangeSchema,
  })
  .describe("Of an image model: so many images made together, in so many steps.");

/** How long a step of learning from images takes. */
export const imageTrainingSchema = z
  .strictObject({
    stepSeconds: rangeSchema,
    imagesPerHour: rangeSchema,
    perThousandImagesUsd: rangeSchema,
  })
  .describe("A step of an image model's training, where the work of a pass is known.");
