import { UserError } from "../user-error.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Model } from "./model.ts";

/**
 * A name without case and separators, except between two digits, where one always stands: "Llama2 7B" and "llama-2-7b" are
 * one, and "llama 27b" is another. A trailing "-hf" names a file format only.
 */
function plainName(name: string): string {
  const last = name.toLowerCase().split("/").at(-1) ?? "";
  return last
    .replace(/-hf$/, "")
    .replaceAll(/[^a-z0-9]+/g, " ")
    .trim()
    .replaceAll(/(?<=\d) (?=\d)/g, ".")
    .replaceAll(" ", "");
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

/** One name of one model, or of one of its variants. */
interface Known {
  readonly name: string;
  readonly model: Model;
}

function variantOf(model: Model, variant: NonNullable<Model["variants"]>[number]): Model {
  return { ...model, ...variant, aliases: undefined, variants: undefined };
}

function namesOf(model: Model): readonly Known[] {
  const own = [model.id, model.huggingfaceRepo ?? model.id, ...(model.aliases ?? [])];
  const variants = (model.variants ?? []).flatMap((variant) => {
    const made = variantOf(model, variant);
    return [variant.id, variant.huggingfaceRepo].map((name) => ({ name, model: made }));
  });
  return [...own.map((name) => ({ name, model })), ...variants];
}

function words(name: string): readonly string[] {
  return name.toLowerCase().match(/\d+(?:\.\d+)*|[a-z]+/g) ?? [];
}

/** Words of many names, which say nothing of what a model is. */
const commonWords: ReadonlySet<string> = new Set([
  ...["base", "chat", "hf", "instruct", "it", "model", "v"],
  ...["awq", "bnb", "fp", "ggml", "gguf", "gptq", "int", "nf"],
]);

/** Edits that a word may be away from another to be a slip of it. */
function slips(word: string): number {
  if (word.length < 5) return 0;
  return word.length < 7 ? 1 : 2;
}

/** Whether two names share a word that says something, slips of the pen allowed, or are all but spelt alike. */
function resembles(asked: string, model: Model): boolean {
  const told = words(asked).filter((word) => /^[a-z]{2,}$/.test(word) && !commonWords.has(word));
  const names = [...namesOf(model).map(({ name }) => name.split("/").at(-1) ?? ""), model.family];
  const own = new Set(names.flatMap(words));
  const near = (word: string) =>
    own.has(word) || [...own].some((other) => isWithin(slips(word), word, other));
  const plain = plainName(asked);
  const allowed = Math.floor(plain.length / 4);
  return told.some(near) || names.some((name) => isWithin(allowed, plain, plainName(name)));
}

function isWithin(edits: number, left: string, right: string): boolean {
  return Math.abs(left.length - right.length) <= edits && editDistance(left, right) <= edits;
}

/** Identifiers of the models whose names resemble the asked one, nearest first; none where none does. */
export function nearestModels(name: string, catalogue: Catalogue, count = 3): readonly string[] {
  const asked = plainName(name);
  const askedWords = words(name);
  return catalogue.models
    .filter((model) => resembles(name, model))
    .map((model) => {
      const own = new Set(words(model.id));
      const distance = editDistance(asked, plainName(model.id));
      // A word that both have weighs as much as two letters that differ; a name that goes on where the asked one ends is nearest.
      const shared = askedWords.filter((word) => own.has(word)).length;
      const goesOn = asked.length >= 3 && plainName(model.id).startsWith(asked);
      return { id: model.id, distance: distance - 2 * shared - (goesOn ? 100 : 0) };
    })
    .toSorted((a, b) => a.distance - b.distance || a.id.localeCompare(b.id))
    .slice(0, count)
    .map(({ id }) => id);
}

/** Names of the EC2 types nearest to one that looks like a type, those of its family first; none where it looks like none. */
export function nearestTypes(name: string, { instanceTypes }: Catalogue): readonly string[] {
  const asked = /^(?:ml\.)?([a-z]+\d[a-z0-9-]*)\.([a-z0-9-]+)$/.exec(name.trim().toLowerCase());
  const [, family = "", size = ""] = asked ?? [];
  if (asked === null || !/metal|large/.test(size)) return [];
  return instanceTypes
    .map(({ instanceType }) => {
      const apart = instanceType.startsWith(`${family}.`) ? 0 : 10;
      return { instanceType, distance: editDistance(`${family}.${size}`, instanceType) + apart };
    })
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ instanceType }) => instanceType);
}

/** The owner of a repository, where the name has one. */
function ownerOf(name: string): string | undefined {
  const parts = name.toLowerCase().split("/");
  return parts.length === 2 ? parts[0] : undefined;
}

/**
 * Those that the spelling fits. With an owner the repository has to be that owner's: a fine-tune of another is not ours.
 * Without one our own names come before those of repositories, for "qwen2.5-7b" is here what others call Qwen2.5-7B-Instruct.
 */
function alike(name: string, catalogue: Catalogue): readonly Model[] {
  const asked = plainName(name);
  const owner = ownerOf(name);
  if (asked === "") return [];
  const known = catalogue.models.flatMap(namesOf).filter((one) => plainName(one.name) === asked);
  const own = known.filter((one) => ownerOf(one.name) === undefined);
  const owned = known.filter((one) => ownerOf(one.name) !== undefined);
  const unowned = own.length > 0 ? own : owned;
  const fitting =
    owner === undefined ? unowned : owned.filter((one) => ownerOf(one.name) === owner);
  return [...new Map(fitting.map(({ model }) => [model.id, model])).values()];
}

/**
 * The model of that name: its id, its Hugging Face repository, an alias, or one of these in another spelling (`Llama2 7B`).
 * The name of a variant (`falcon-40b-instruct`) gives the model with the variant's name and repository.
 *
 * @throws UserError naming those that resemble it when there is none, or all of them when the spelling fits several
 */
export function findModel(name: string, catalogue: Catalogue): Model {
  const exact = catalogue.models.find((model) => model.id === name);
  if (exact !== undefined) return exact;
  const fitting = alike(name, catalogue);
  const [only, second] = fitting;
  if (only !== undefined && second === undefined) return only;
  const near = only === undefined ? nearestModels(name, catalogue) : fitting.map(({ id }) => id);
  const what = only === undefined ? "is not in the catalogue" : "fits more than one model";
  const list = '"berth catalogue" names all of them';
  const others =
    near.length > 0
      ? `Did you mean ${near.join(", ")}? ${list}`
      : `No name there resembles it: ${list}, and "berth catalogue --family <word>" those of one family`;
  throw new UserError(`The model "${name}" ${what}.`, {
    hint: `${others}; "--config <path>" takes any other model from its folder, config.json or .gguf file.`,
  });
}
