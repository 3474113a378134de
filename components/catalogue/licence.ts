import { z } from "zod";

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
});

/** A licence that weights are given under. */
export type Licence = Readonly<z.infer<typeof licenceSchema>>;
