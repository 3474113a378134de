import type { Model } from "../catalogue/model.ts";
import type { Plan } from "../plan.ts";

/** What every plan says of its model, of whichever target it is. */
export function plannedModel({
  id,
  family,
  huggingfaceRepo,
  licence = "unknown",
  gated = false,
}: Model): Pick<Plan, "modelId" | "modelName" | "huggingfaceRepo" | "licence" | "gated"> {
  return { modelId: id, modelName: family, huggingfaceRepo, licence, gated };
}
