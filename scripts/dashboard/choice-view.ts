import { z } from "zod";
import type { ChoiceView, RungView } from "../../components/dashboard-page/dashboard-view.ts";
import type { Rejection } from "../../components/plan.ts";
import { groupedReasons } from "../../components/plan-report/grouped-reasons.ts";

/** What a recorded plan says of its ladder; an older one may say less. */
const planSchema = z.looseObject({
  ladder: z
    .array(
      z.looseObject({
        instanceType: z.string(),
        gpuModel: z.string(),
        gpuCount: z.number(),
        hourlyUsd: z.number().optional(),
        purchase: z.string().optional(),
        comfortable: z.boolean().optional(),
        priceAsOf: z.string().optional(),
        priceSource: z.string().optional(),
      }),
    )
    .min(1),
  rejected: z
    .array(
      z.looseObject({
        instanceType: z.string(),
        region: z.string(),
        hourlyUsd: z.number().optional(),
        kind: z.string(),
        reason: z.string(),
      }),
    )
    .optional(),
});

type Ladder = z.infer<typeof planSchema>["ladder"];

function outcomeOf(index: number, runs: number): string {
  if (index === runs) return "runs";
  return index < runs ? "tried first, and not had" : "next, when capacity lacks";
}

/** Before anything is launched. */
function plannedOutcome(index: number): string {
  return index === 0 ? "first" : "next, when capacity lacks";
}

function reasonOf(ladder: Ladder, runs: number, instanceType: string): string {
  const [first] = ladder;
  const room = first?.comfortable === false ? "just" : "with room to spare";
  const cheapest = `${first?.instanceType ?? "?"} is the cheapest that holds it ${room}`;
  if (runs === 0 || instanceType === "") return `${cheapest}.`;
  if (runs < 0) return `${cheapest}; ${instanceType} runs, which the plan does not name.`;
  return `${cheapest}, and was not to be had; ${instanceType} is rung ${runs + 1} of the ladder.`;
}

/** Why a stack has its type, from the plan that it was made by; undefined where none is recorded. */
export function choiceView(plan: unknown, instanceType: string): ChoiceView | undefined {
  const parsed = planSchema.safeParse(plan).data;
  if (parsed === undefined) return undefined;
  const { ladder, rejected = [] } = parsed;
  const runs = ladder.findIndex((rung) => rung.instanceType === instanceType);
  const rungs = ladder.map((rung, index): RungView => {
    const gpus = `${rung.gpuCount} x ${rung.gpuModel}`;
    const outcome = instanceType === "" ? plannedOutcome(index) : outcomeOf(index, runs);
    return { instanceType: rung.instanceType, gpus, hourlyUsd: rung.hourlyUsd, outcome };
  });
  return {
    reason: reasonOf(ladder, runs, instanceType),
    rungs,
    refused: groupedReasons(rejected as unknown as readonly Rejection[]),
  };
}
