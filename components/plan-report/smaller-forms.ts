import type { Catalogue } from "../catalogue/catalogue.ts";
import { decide, type Decision } from "../sizing/decide.ts";
import type { PlanRequest } from "../sizing/plan-request.ts";
import { UserError } from "../user-error.ts";
import type { SmallerForm } from "./report.ts";

/** What the engine makes of 16-bit files while it loads them (docs/engines.md), and what it costs in words. */
const forms = [
  { precision: "fp8", loss: "a small loss of quality" },
  { precision: "int4", loss: "some loss of quality, more for small models" },
] as const;

function formOf(
  request: PlanRequest,
  catalogue: Catalogue,
  { precision, loss }: (typeof forms)[number],
): SmallerForm | undefined {
  try {
    const [rung] = decide({ ...request, precision }, catalogue).ladder;
    if (rung === undefined) return undefined;
    const { instanceType, region, gpuModel, gpuCount, demand, hourly } = rung;
    const gpuMiB = demand.totalMiB;
    const hourlyUsd = hourly.totalUsd;
    return { precision, loss, instanceType, region, gpuModel, gpuCount, gpuMiB, hourlyUsd };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/**
 * What the same server would cost with its weights in fewer bits: each form that is cheaper than what was found before it, in the
 * own region. Empty where a precision was asked for, and where the files have no 16 bits to be made fewer.
 */
export function smallerForms(
  request: PlanRequest,
  catalogue: Catalogue,
  { job, model, ladder }: Decision,
): readonly SmallerForm[] {
  const { precision = "auto" } = request;
  const plain = precision === "auto" || precision === "native";
  const wide = /^(bf16|fp16|fp32)/.test(model.nativePrecision);
  const [chosen] = ladder;
  if (job.task !== "serve" || job.workload.engine !== "vllm") return [];
  if (!plain || !wide || chosen === undefined) return [];
  const own = { ...request, otherRegions: undefined };
  let leastUsd = chosen.hourly.totalUsd;
  return forms.flatMap((each) => {
    const form = formOf(own, catalogue, each);
    if (form === undefined || form.hourlyUsd >= leastUsd) return [];
    leastUsd = form.hourlyUsd;
    return [form];
  });
}
