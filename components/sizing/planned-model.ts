import { asksForLicence } from "../catalogue/licence.ts";
import type { Model } from "../catalogue/model.ts";
import type { Plan } from "../plan.ts";

/** What every plan says of its model, of whichever target it is. */
export function plannedModel(
  model: Model,
): Pick<Plan, "modelId" | "modelName" | "huggingfaceRepo" | "licence" | "gated"> {
  const { id, family, huggingfaceRepo, licence = "unknown" } = model;
  const gated = asksForLicence(model);
  return { modelId: id, modelName: family, huggingfaceRepo, licence, gated };
}
