import type { z } from "zod";
import { UserError } from "../user-error.ts";

/**
 * The content of a file that `berth catalogue refresh` writes.
 *
 * @param file its name
 * @throws UserError naming every field that is wrong
 */
export function parseRefreshed<Content>(
  schema: z.ZodType<Content>,
  text: string,
  file: string,
): Content {
  const hint = 'Run "berth catalogue refresh" to write it anew, or remove it.';
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file} is no JSON.`, { hint, cause: error });
  }
  const checked = schema.safeParse(content);
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map(
    ({ path, message }) => `${file}: ${path.join(".")}: ${message}`,
  );
  throw new UserError(`${file} is not what a refresh writes.`, { problems, hint });
}
