import type * as pulumi from "@pulumi/pulumi";

/** Tags whose values may be known only later. */
export type TagInputs = Readonly<Record<string, pulumi.Input<string>>>;

/** The deployment's tags, and the name that consoles show for this one resource. */
export function namedTags(tags: TagInputs, name: string): Record<string, pulumi.Input<string>> {
  return { ...tags, Name: name };
}
