import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { partName } from "../components/identity.ts";
import type { TagInputs } from "../components/named-tags.ts";
import { roleBoundary } from "../components/role-boundary.ts";
import { roleTrust } from "../components/role-trust.ts";
import { tagContract } from "../components/tag-contract.ts";

/** Whose account it is, as far as its provider and its roles are concerned. */
export interface AccountSettings {
  readonly stack: string;
  readonly region: string;
  readonly permissionsBoundaryArn?: string | undefined;
}

/** Options of what is made in the deployment's account: its provider, and what everything there is held to. */
export interface InAccount {
  readonly providers: [aws.Provider];
  readonly transformations: pulumi.ResourceTransformation[];
}

/** In the deployment's account, under its contract of tags and within its boundary. */
export function inAccountOf(
  { stack, region, permissionsBoundaryArn }: AccountSettings,
  tags: TagInputs,
): InAccount {
  // The region only: keys in a provider are kept in the state, and have expired by the time of a destroy.
  const account = new aws.Provider(partName(stack, "aws"), {
    region: region as aws.Region,
    defaultTags: { tags },
    maxRetries: 3,
  });
  const transformations = [tagContract(tags), roleBoundary(permissionsBoundaryArn), roleTrust];
  return { providers: [account], transformations };
}
