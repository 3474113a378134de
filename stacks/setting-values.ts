import { z } from "zod";

/** Configuration is text on the command line and anything in a file, so both forms of a number are taken. */
export const number = z.preprocess((value) => {
  return typeof value === "string" && value.trim() !== "" ? Number(value) : value;
}, z.number("must be a number"));

/** A whole number in a range, both ends included. */
export function whole(least: number, most: number) {
  const range = `must be a whole number from ${least} to ${most}`;
  return number.refine(
    (value) => Number.isInteger(value) && value >= least && value <= most,
    range,
  );
}

/** true or false. */
export const flag = z.preprocess((value) => {
  return value === "true" ? true : value === "false" ? false : value;
}, z.boolean("must be true or false"));

/** Text that is not empty. */
export const text = z
  .string("must be text")
  .transform((value) => value.trim())
  .refine((value) => value !== "", "must not be empty");

/** A list as a file, JSON or words with commas between them have it. */
export function listed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (!value.trimStart().startsWith("[")) return value.split(",").map((entry) => entry.trim());
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** `pulumi config set --path` and a file have a list or a map, the command line has it as JSON. */
export function structured(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** So many that berth's own and AWS's fit beside them: a resource has 50 at most. */
const mostTags = 20;

const tagKey = z
  .string()
  .refine(
    (key) => /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(key) && !/^(aws|berth):|^Name$/i.test(key),
    "must be the key of a tag, which neither begins with aws: or berth: nor is Name",
  );

/** A number in a file is a text to a tag. */
const tagText = z.preprocess(
  (value) => (typeof value === "number" || typeof value === "boolean" ? String(value) : value),
  z.string("must be text").regex(
    // EventBridge Scheduler takes no empty one: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Tag.html
    /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u,
    "must be letters, digits, spaces and _ . : / = + - @, from 1 to 256",
  ),
);

/** IAM tells keys of a role apart by more than case (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html). */
function differInMoreThanCase(tags: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(tags);
  return new Set(keys.map((key) => key.toLowerCase())).size === keys.length;
}

/** Tags of the user's own, by key (https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html). */
export const ownTags = z.preprocess(
  structured,
  z
    .record(tagKey, tagText, "must be tags by key, such as {CostCenter: research}")
    .refine((tags) => Object.keys(tags).length <= mostTags, `must be ${mostTags} tags at most`)
    .refine(differInMoreThanCase, "must have keys that differ in more than case"),
);

/** A list of texts of one form. */
export function list(entry: RegExp, example: string) {
  const wrong = `must be a list such as [${example}]`;
  return z.preprocess(listed, z.array(z.string(wrong).regex(entry, wrong), wrong).min(1, wrong));
}

/** Licences by name. `true` would accept the licence of whichever model is named later. */
export const licenceNames = z
  .unknown()
  .transform(listed)
  .pipe(
    z.custom<readonly string[]>(
      (names) =>
        Array.isArray(names) &&
        names.length > 0 &&
        names.every((name) => /^(?!(true|false)$)[a-z0-9][\w.+-]*$/i.test(String(name))),
      "must be the names of the licences that you accept, as the plan prints them, such as llama2",
    ),
  );
