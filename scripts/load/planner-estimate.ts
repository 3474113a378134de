import { z } from "zod";
import type { Catalogue } from "../../components/catalogue/catalogue.ts";
import { findModel } from "../../components/catalogue/find-model.ts";
import type { Estimate } from "../../components/load-report/load-report.ts";
import { servedModel } from "../../components/plan-report/rung.ts";
import { isPrecision } from "../../components/sizing/plan-request.ts";
import { densePeakTflops } from "../../components/throughput/dense-peak.ts";
import { servingSpeed } from "../../components/throughput/serving-speed.ts";

/** What the estimate reads of a stack's recorded plan. */
const recordedPlanSchema = z.object({
  modelId: z.string(),
  engine: z.enum(["vllm", "llama.cpp"]),
  precision: z.string(),
  contextTokens: z.number(),
  ladder: z
    .array(
      z.object({
        instanceType: z.string(),
        gpuModel: z.string(),
        tensorParallel: z.number(),
        pipelineParallel: z.number(),
        nvlink: z.boolean(),
      }),
    )
    .min(1),
});

/** Where the planner knows nothing. */
export const noEstimate: Estimate = () => undefined;

/**
 * What the planner says of a stack that runs: the roofline of its own machine, for any shape of requests.
 *
 * @param instanceType the type that it got, which may be a lower rung of the plan's ladder
 */
export function plannerEstimate(
  recorded: unknown,
  instanceType: string | undefined,
  catalogue: Catalogue,
): Estimate {
  const plan = recordedPlanSchema.safeParse(recorded);
  if (!plan.success) return noEstimate;
  const { modelId, engine, precision, contextTokens, ladder } = plan.data;
  const rung = ladder.find((one) => one.instanceType === instanceType) ?? ladder[0];
  const gpu = catalogue.accelerators.find(({ model }) => model === rung?.gpuModel);
  const tflops = gpu === undefined ? undefined : densePeakTflops(gpu);
  const bandwidthGBs = gpu?.memoryBandwidthGBs;
  if (rung === undefined || tflops === undefined || bandwidthGBs === undefined) return noEstimate;
  const { tensorParallel, pipelineParallel, nvlink } = rung;
  const machine = { gpu: { tflops, bandwidthGBs }, tensorParallel, pipelineParallel, nvlink };
  const model = findModel(modelId, catalogue);
  return (promptTokens, answerTokens, concurrency) => {
    const format = isPrecision(precision) ? precision : "native";
    const workload = { engine, precision: format, contextTokens, concurrency };
    const job = { task: "serve", model, workload, promptTokens, answerTokens } as const;
    const served = servedModel({ ...job, tensorParallelOnly: true });
    return served === undefined
      ? undefined
      : servingSpeed(served, { promptTokens, answerTokens, concurrency }, machine);
  };
}
