import { UserError } from "./user-error.ts";

/** What every tag set says of a deployment. */
export interface Identity {
  readonly stack: string;
  readonly env: string;
  readonly owner: string;
  readonly model: string;
  readonly hourlyUsd: number;
  readonly protect: boolean;
  /** The user's own. @default none */
  readonly own?: Tags | undefined;
}

/** Tags by key; AWS allows 50 a resource, berth uses at most 12. */
export type Tags = Readonly<Record<string, string>>;

/** The tag that names the stack, by which teardown, receipt and sweeps find what is ours. */
export const stackTag = "berth:stack";

/** The tag that tells a deployment from any other of its name and owner, in this account or before it; made by its first `up`. */
export const runTag = "berth:run-id";

/** The tag that says who pays. */
export const ownerTag = "berth:owner";

/** The model that it serves. */
export const modelTag = "berth:model";

/** The tag that keeps a thing from every teardown that nobody asked for: "true" or "false". */
export const protectTag = "berth:protect";

/** The tag that says when what carries it ends, RFC 3339; on what is launched and on the schedules' group. */
export const hourlyTag = "berth:hourly-usd";

/** When the lease ends. */
export const expiryTag = "berth:expires-at";

/** The tag that says which of several hosts an instance is, from 0. */
export const hostTag = "berth:host";

/** The tag by which a sweep marks what the next sweep ends. */
export const sweepTag = "berth:sweep-at";

/** Allowed in tag values (https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html), 256 at most. */
const tagValue = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;

/** Short enough for the longest suffix and the tightest limit (an IAM role's 64 characters). */
const stackName = /^[a-z][a-z0-9-]{0,30}$/;

/**
 * The physical name of a part: `${stack}-${role}`.
 *
 * @throws UserError when the stack's name is not lower case letters, digits and hyphens, or is too long
 */
export function partName(stack: string, role: string): string {
  if (!stackName.test(stack)) {
    throw new UserError(`The stack's name "${stack}" cannot name AWS resources.`, {
      hint: "Use at most 31 lower case letters, digits and hyphens, beginning with a letter.",
    });
  }
  return `${stack}-${role}`;
}

/**
 * The tags that every taggable resource of a deployment carries.
 *
 * @throws UserError naming each value that AWS would not take
 */
export function identityTags(identity: Identity): Tags {
  const tags: Tags = {
    ...identity.own,
    [stackTag]: identity.stack,
    "berth:env": identity.env,
    [ownerTag]: identity.owner,
    [modelTag]: identity.model,
    [hourlyTag]: identity.hourlyUsd.toFixed(4),
    [protectTag]: String(identity.protect),
    "berth:managed-by": "berth",
  };
  const problems = Object.entries(tags)
    .filter(([, value]) => !tagValue.test(value))
    .map(
      ([key, value]) =>
        `${key}: "${value}" has characters that AWS does not allow in tags, or over 256`,
    );
  if (problems.length > 0) {
    throw new UserError("The deployment cannot be tagged.", {
      problems,
      hint: "Use letters, digits, spaces and _ . : / = + - @.",
    });
  }
  return tags;
}
