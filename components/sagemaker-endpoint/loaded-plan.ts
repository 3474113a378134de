import type { Catalogue } from "../catalogue/catalogue.ts";
import { findModel } from "../catalogue/find-model.ts";
import { loadPrecision } from "../model-server/load-precision.ts";
import type { Plan } from "../plan.ts";
import { makePlan, type PlanRequest } from "../sizing/make-plan.ts";

/**
 * The plan of a model of an endpoint, with what its engine makes of the weights, so that what was computed with is what is
 * loaded. Pure.
 *
 * @throws NoPlacementError when no type holds it
 * @throws UserError when the engine does not make the precision that is asked for
 */
export function makeLoadedPlan(request: PlanRequest, catalogue: Catalogue): Plan {
  const plan = makePlan(request, catalogue);
  const { nativePrecision } = request.customModel ?? findModel(request.model, catalogue);
  const { precision = "auto" } = request;
  return { ...plan, quantise: loadPrecision(plan.engine, precision, nativePrecision) };
}
