import type { Model } from "../../catalogue/model.ts";
import { splitProblem } from "../splits.ts";
import {
  layoutWishes,
  trainingWorkload,
  type LayoutWishes,
  type TrainingRequest,
} from "../training-request.ts";
import type { TrainingWorkload } from "../workload.ts";
import { contextProblem, megatronProblem } from "./megatron-split.ts";

function wrongStages({ layers }: Model, stages: number): readonly string[] {
  if (layers === undefined || layers % stages === 0 || (layers + 2) % stages === 0) return [];
  return [
    `pipelineParallel: neither ${layers} layers nor ${layers + 2} divide over ${stages} stages`,
  ];
}

function wrongGroups(
  { experts, id }: Model,
  { sequenceTokens }: TrainingWorkload,
  {
    contextParallel = 1,
    expertParallel = 1,
  }: Pick<LayoutWishes, "contextParallel" | "expertParallel">,
): readonly string[] {
  const context = contextProblem(sequenceTokens, contextParallel);
  const uneven = experts !== undefined && experts.count % expertParallel !== 0;
  return [
    ...(context === undefined ? [] : [`contextParallel: ${context}`]),
    ...(uneven
      ? [`expertParallel: ${experts.count} experts do not divide over ${expertParallel} GPUs`]
      : []),
    ...(experts === undefined && expertParallel > 1
      ? [`expertParallel: ${id} has no experts that GPUs could share out`]
      : []),
  ];
}

/** What of a request Megatron-LM cannot do with the model, whatever the GPUs; the request is right by itself. */
export function wrongLayout(
  model: Model,
  request: TrainingRequest = {},
  scratch = false,
): readonly string[] {
  const { framework, tensorParallel, pipelineParallel, ...groups } = layoutWishes(request);
  if (framework !== "megatron") return [];
  const workload = trainingWorkload(request, { scratch, model });
  const problem = megatronProblem(model, workload);
  if (problem !== undefined) return [`framework: not Megatron-LM: ${problem}`];
  const heads =
    tensorParallel === undefined ? undefined : splitProblem(model, "bf16", tensorParallel);
  return [
    ...(heads === undefined ? [] : [`tensorParallel: ${heads}`]),
    ...(pipelineParallel === undefined ? [] : wrongStages(model, pipelineParallel)),
    ...wrongGroups(model, workload, groups),
  ];
}
