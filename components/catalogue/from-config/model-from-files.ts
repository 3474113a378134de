import { UserError } from "../../user-error.ts";
import { modelSchema, type Model } from "../model.ts";
import { fromDiffusers } from "./from-diffusers.ts";
import { fromGguf } from "./from-gguf.ts";
import { fromTransformers } from "./from-transformers.ts";
import type { ModelFiles } from "./model-files.ts";

function draw(files: ModelFiles, problems: string[]): Model {
  switch (files.kind) {
    case "transformers":
      return fromTransformers(files, problems);
    case "diffusers":
      return fromDiffusers(files, problems);
    case "gguf":
      return fromGguf(files, problems);
  }
}

/**
 * The model that the files on disk describe, in the catalogue's own terms: a pure function of what was read.
 *
 * Parameters are counted from the headers of safetensors or GGUF files where there are any, else by formula from the
 * configuration; `parametersBasis` says which. Licence and gating are not in such files and stay unknown.
 *
 * @throws UserError naming file and field of everything that is missing or wrong
 */
export function modelFromFiles(files: ModelFiles): Model {
  const problems: string[] = [];
  const model = draw(files, problems);
  if (problems.length === 0) {
    const checked = modelSchema.safeParse(model);
    if (checked.success) return checked.data;
    for (const { path, message } of checked.error.issues) {
      problems.push(`${files.place}: gives an impossible ${path.join(".")}: ${message}`);
    }
  }
  throw new UserError(`${files.place} does not describe a model that can be sized.`, {
    problems: [...new Set(problems)],
    hint: "Give the folder as it was downloaded from Hugging Face, its config.json, or a .gguf file.",
  });
}
