import { loadShippedCatalogue } from "../components/catalogue/load.ts";
import { UserError } from "../components/user-error.ts";
import type { Plan } from "../components/plan.ts";
import type { Settings } from "./settings.ts";

/**
 * Holds an `up` of a gated model until its licence is accepted; a preview may look without.
 *
 * @throws UserError naming the licence and the setting
 */
export function checkLicence(
  { acceptLicence }: Pick<Settings, "acceptLicence">,
  { gated, licence, modelId, huggingfaceRepo }: Plan,
  preview: boolean,
): void {
  if (!gated || acceptLicence || preview) return;
  const page = huggingfaceRepo === undefined ? "" : ` at https://huggingface.co/${huggingfaceRepo}`;
  const known = loadShippedCatalogue().licences.find(({ name }) => name === licence);
  throw new UserError(`${modelId} is gated: its licence, ${licence}, has to be accepted${page}.`, {
    problems: known === undefined ? [] : [`${known.title} (${known.url}): ${known.terms}`],
    hint: "Accept it there, then set berth:acceptLicence to true.",
  });
}
