import { randomBytes } from "node:crypto";
import type { AutoName } from "./resource-type.ts";

/** Hex digits after the logical name, as in the real provider. */
const digits = 7;

/** What the engine says of names it wants to give itself (`pulumi:autonaming`). */
export interface Autonaming {
  readonly name: string;
  readonly mode: "propose" | "enforce" | "disable";
}

/** A name, or why there can be none. */
export type NameChoice = { readonly name: string } | { readonly problem: string };

/**
 * The physical name of a resource that was given none: the logical one, a dash, and seven hex digits.
 *
 * @param seed makes the digits, so that a preview and the update after it can agree; without it they are random
 */
export function autoName(
  logical: string,
  { property, limit, lowercase }: AutoName,
  seed: Uint8Array,
  wish: Autonaming | undefined,
): NameChoice {
  if (wish?.mode === "disable") {
    return { problem: `missing, and automatic names are switched off; set ${property}` };
  }
  const bytes = seed.length >= digits ? seed : randomBytes(digits);
  const suffix = Buffer.from(bytes).toString("hex").slice(0, digits);
  const proposed = wish === undefined ? `${logical}-${suffix}` : wish.name;
  const name = lowercase === true ? proposed.toLowerCase() : proposed;
  if (name.length > limit) {
    return {
      problem: `the name "${name}" made from the resource's is longer than AWS's ${limit} characters; set ${property}, or a shorter resource name`,
    };
  }
  return { name };
}
