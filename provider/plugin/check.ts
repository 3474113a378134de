import { z } from "zod";
import { hasUnknown, type Properties } from "./values.ts";

/** One thing wrong with one input. */
export interface InputFailure {
  readonly property: string;
  readonly reason: string;
}

/**
 * Every problem of a resource's inputs. A property that is, or holds, something not known yet passes: it is checked again
 * with its value in the update.
 */
export function checkInputs(schema: z.ZodObject, inputs: Properties): readonly InputFailure[] {
  const open = Object.keys(inputs).filter((key) => hasUnknown(inputs[key]));
  const result = schema.strict().safeParse(inputs);
  if (result.success) return [];
  return result.error.issues
    .filter((issue) => !open.includes(String(issue.path[0])))
    .flatMap((issue) =>
      issue.code === "unrecognized_keys" && issue.path.length === 0
        ? issue.keys.map((key) => ({
            property: key,
            reason: `unknown input; allowed are ${Object.keys(schema.shape).join(", ")}`,
          }))
        : [{ property: issue.path.join("."), reason: issue.message }],
    );
}
