import { z } from "zod";
import type { Model } from "./model.ts";

/** Schema of one row of `data/licences.json`. */
export const licenceSchema = z.strictObject({
  /** As models name it, and as `--accept-licence` takes it. */
  name: z.string().regex(/^\S+$/),
  title: z.string(),
  url: z.url(),
  /** Left out where nobody has read it. */
  commercialUse: z.enum(["yes", "no", "conditional"]).optional(),
  /** What you take upon yourself by using the model, in a sentence; the text at `url` decides. */
  terms: z.string(),
  /** Short names of where the text was read, where that is not at `url`. */
  source: z.string().optional(),
});

/** A licence that weights are given under. */
export type Licence = Readonly<z.infer<typeof licenceSchema>>;

/**
 * Whether `up` and `push` ask for its licence by name: where Hugging Face does, and where no source says whether it does. A model without a
 * repository is the user's own files, which nobody gates.
 */
export function asksForLicence({ gated, huggingfaceRepo }: Model): boolean {
  return gated ?? huggingfaceRepo !== undefined;
}
