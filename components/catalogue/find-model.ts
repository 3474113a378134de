import { UserError } from "../user-error.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Model } from "./model.ts";

/** Name without case, owner, separators and the words that only name a file format. */
function plainName(name: string): string {
  const last = name.toLowerCase().split("/").at(-1) ?? "";
  return last.replaceAll(/-hf$/g, "").replaceAll(/[^a-z0-9]/g, "");
}

/** Number of single-letter edits between two texts (Levenshtein). */
export function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

/** Identifiers of the models whose names are nearest to the asked one, nearest first. */
export function nearestModels(name: string, catalogue: Catalogue, count = 3): readonly string[] {
  const asked = plainName(name);
  return catalogue.models
    .map((model) => ({ id: model.id, distance: editDistance(asked, plainName(model.id)) }))
    .toSorted((a, b) => a.distance - b.distance || a.id.localeCompare(b.id))
    .slice(0, count)
    .map(({ id }) => id);
}

/**
 * The model of that name: its id, its Hugging Face repository, or either in another spelling (`Llama2 7B`).
 *
 * @throws UserError naming the nearest ones when there is none, or all of them when the spelling fits several
 */
export function findModel(name: string, catalogue: Catalogue): Model {
  const exact = catalogue.models.find(
    (model) => model.id === name || model.huggingfaceRepo === name,
  );
  if (exact !== undefined) return exact;
  const asked = plainName(name);
  const alike = catalogue.models.filter((model) =>
    [model.id, model.huggingfaceRepo ?? model.id].some((known) => plainName(known) === asked),
  );
  const [only, ...others] = alike;
  if (only !== undefined && others.length === 0) return only;
  const known = only === undefined ? nearestModels(name, catalogue) : alike.map(({ id }) => id);
  const what = only === undefined ? "is not in the catalogue" : "fits more than one model";
  throw new UserError(`The model "${name}" ${what}.`, {
    hint: `Did you mean ${known.join(", ")}? "berth plan --list" names all of them.`,
  });
}
