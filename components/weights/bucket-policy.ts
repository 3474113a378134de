import { z } from "zod";

const oneOrMore = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === "string" ? [value] : value));

const statementSchema = z.looseObject({
  Sid: z.string().optional(),
  Effect: z.string(),
  Principal: z.union([z.string(), z.record(z.string(), oneOrMore)]).optional(),
  NotPrincipal: z.unknown().optional(),
  Action: oneOrMore.optional(),
  Resource: oneOrMore.optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});

const policySchema = z.looseObject({
  Statement: z
    .union([statementSchema, z.array(statementSchema)])
    .transform((value) => (Array.isArray(value) ? value : [value])),
});

type Statement = z.infer<typeof statementSchema>;

/** A statement of a bucket's policy that keeps readers away. */
export interface Denial {
  /** Its Sid, or its place in the policy. */
  readonly name: string;
  /** Keys of its condition; none when it holds for everybody, always. */
  readonly conditions: readonly string[];
}

/** Whether a pattern of IAM, with stars and question marks, fits a text. */
function fits(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "i").test(text);
}

/** A denial of one named principal is for that one; berth's role has a name that nobody knows beforehand. */
function isForAll({ Principal, NotPrincipal }: Statement): boolean {
  if (NotPrincipal !== undefined) return true;
  if (typeof Principal === "string") return Principal === "*";
  return Principal?.["AWS"]?.includes("*") === true;
}

/** All that AWS's services do goes over TLS. */
function isOnlyAboutTls({ Condition = {} }: Statement): boolean {
  const keys = Object.values(Condition).flatMap((each) => Object.keys(each));
  return keys.length > 0 && keys.every((key) => /^(aws:SecureTransport|s3:TlsVersion)$/i.test(key));
}

/**
 * What of a bucket's policy keeps a role that is allowed to read below a prefix from reading there; pure. A denial wins over
 * every permission (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html).
 */
export function readDenials(
  policy: string,
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
): readonly Denial[] {
  const { Statement } = policySchema.parse(JSON.parse(policy));
  const object = `arn:aws:s3:::${bucket}/${prefix}config.json`;
  return Statement.flatMap((statement, index) => {
    const { Effect, Action = ["*"], Resource = ["*"], Condition = {}, Sid } = statement;
    const denies =
      Effect === "Deny" &&
      isForAll(statement) &&
      !isOnlyAboutTls(statement) &&
      Action.some((action) => fits(action, "s3:GetObject")) &&
      Resource.some((resource) => fits(resource, object));
    if (!denies) return [];
    const keys = Object.values(Condition).flatMap((each) => Object.keys(each));
    const conditions = statement.NotPrincipal === undefined ? keys : [...keys, "NotPrincipal"];
    return [{ name: Sid ?? `statement ${index + 1}`, conditions }];
  });
}
