import { z } from "zod";

/** A server with its weights in fewer bits. */
export const smallerFormSchema = z.strictObject({
  precision: z.string().describe("As --precision takes it."),
  loss: z.string(),
  instanceType: z.string(),
  region: z.string(),
  gpuModel: z.string(),
  gpuCount: z.number().positive(),
  gpuMiB: z.number().positive().describe("What each GPU has to hold."),
  hourlyUsd: z.number().nonnegative().describe("All of an hour."),
});
