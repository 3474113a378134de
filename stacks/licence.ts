import { loadCatalogue } from "../components/catalogue/load.ts";
import { UserError } from "../components/user-error.ts";
import type { Plan } from "../components/plan.ts";
import { isEndpointPlan } from "../components/sagemaker-endpoint/stack-plan-text.ts";
import type { Settings } from "./settings.ts";

/** What of a plan says whether a licence stands in the way. */
export type LicencedModel = Pick<Plan, "gated" | "licence" | "modelId" | "huggingfaceRepo">;

const unknownGating =
  "No source of the catalogue says whether Hugging Face gates it, so it counts as gated. A row of your own in berth.catalogue.yaml can say gated: false.";

/**
 * Holds an `up` of a gated model until its licence is accepted by name; a preview may look without. Another licence's
 * acceptance does not count, so a stack that changes its model asks again.
 *
 * @throws UserError naming the licence and the setting
 */
export function checkLicence(
  { acceptLicence = [] }: Pick<Settings, "acceptLicence">,
  { gated, licence, modelId, huggingfaceRepo }: LicencedModel,
  preview: boolean,
): void {
  if (!gated || acceptLicence.includes(licence) || preview) return;
  const page = huggingfaceRepo === undefined ? "" : ` at https://huggingface.co/${huggingfaceRepo}`;
  const { licences, models } = loadCatalogue();
  const terms = licences
    .filter(({ name }) => name === licence)
    .map(({ title, url, terms }) => `${title} (${url}): ${terms}`);
  const named = models.find(({ id, variants = [] }) =>
    [id, ...variants.map((variant) => variant.id)].includes(modelId),
  );
  const isKnown = named === undefined || named.gated !== undefined;
  throw new UserError(`${modelId} is gated: its licence, ${licence}, has to be accepted${page}.`, {
    problems: isKnown ? terms : [...terms, unknownGating],
    hint: `Accept it there, then say so: --accept-licence ${licence}, or berth:acceptLicence: ${licence} in the stack's file.`,
  });
}

/** Names with one more, as `berth:acceptLicence` holds them. */
export function withLicence(names: readonly string[] = [], licence: string): string[] {
  return [...new Set([...names, licence])];
}

/** Every model that a plan serves: its own, and the variants, components and shadow of an endpoint. */
export function licencedModels(plan: Plan): readonly LicencedModel[] {
  return isEndpointPlan(plan) ? [plan, ...plan.endpoint.further] : [plan];
}

/**
 * Names with those that a command line accepts, which are of the models that it would serve.
 *
 * @param asked names with commas between them
 * @returns undefined when it accepts none of them
 */
export function acceptedWith(
  names: readonly string[] | undefined,
  asked: string | undefined,
  models: readonly LicencedModel[],
): readonly string[] | undefined {
  const known = (asked ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => models.some(({ licence }) => licence === name));
  return known.length === 0 ? undefined : known.reduce(withLicence, [...(names ?? [])]);
}
