import { z } from "zod";
import { structured } from "./setting-values.ts";

/** The kinds of values that the settings of a further model are of. */
interface Kinds {
  readonly text: z.ZodType<string>;
  readonly prefix: z.ZodType<string>;
  readonly share: z.ZodType<number>;
  /** A share above none. */
  readonly sampled: z.ZodType<number>;
  readonly whole: (least: number, most: number) => z.ZodType<number>;
  readonly instanceTypes: z.ZodType<string[]>;
  readonly precision: z.ZodType<string>;
}

/** What serves in the containers of an endpoint in place of its plan's engine. */
export const servingImage = z.enum(
  ["vllm", "lmi"],
  "must be vllm or lmi; TGI is archived, and vLLM serves what it did",
);

/** A name that a variant, or the end of a component's name, may have. */
const namePattern = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,29}$/;
const nameWrong = "must be 30 letters, digits and hyphens at most";

/** What may be set of the models that an endpoint serves beside its first. */
export function furtherModelsShape({ text, prefix, share, whole, ...kinds }: Kinds) {
  const common = {
    name: z.string(nameWrong).regex(namePattern, nameWrong),
    /** Where its weights lie in the stack's bucket. @default `<model>/` */
    weightsPrefix: prefix.optional(),
    context: whole(1, 10_000_000).optional(),
    concurrency: whole(1, 10_000).optional(),
    precision: kinds.precision.optional(),
    imageUri: text.optional(),
    servingImage: servingImage.optional(),
  };
  const variant = z.strictObject({
    ...common,
    /** @default the stack's own */
    model: text.optional(),
    instanceTypes: kinds.instanceTypes.optional(),
    /** Percent of the requests; the first variant has the rest. */
    share,
    minInstances: whole(1, 100).optional(),
    maxInstances: whole(1, 100).optional(),
  });
  const component = z.strictObject({
    ...common,
    model: text,
    minCopies: whole(0, 100).optional(),
    maxCopies: whole(1, 100).optional(),
  });
  const shadow = z.strictObject({
    ...common,
    /** @default shadow */
    name: common.name.default("shadow"),
    /** @default the stack's own */
    model: text.optional(),
    instanceTypes: kinds.instanceTypes.optional(),
    /** Percent of the requests that it gets copies of. */
    share: kinds.sampled.default(100),
    instances: whole(1, 100).default(1),
  });
  const listOf = <T extends z.ZodType>(entry: T) =>
    z.preprocess(structured, z.array(entry, "must be a list").min(1, "must not be empty").max(9));
  return {
    /** Production variants beside the first. @default none */
    variants: listOf(variant).optional(),
    /** A variant that gets copies of requests, and whose answers go nowhere. @default none */
    shadow: z.preprocess(structured, shadow).optional(),
    /** Models beside the first on the same instances. @default none */
    components: listOf(component).optional(),
  };
}
