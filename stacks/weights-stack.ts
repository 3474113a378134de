import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { identityTags, partName } from "../components/identity.ts";
import { WeightsBucket } from "../components/weights/weights-bucket.ts";
import { parseWeightsSettings } from "./weights-settings.ts";

/** What a stack that only keeps weights tells. */
export interface WeightsStackOutputs {
  readonly owner: string;
  readonly weightsBucket: pulumi.Output<string>;
}

/** Whether the running stack only keeps weights: `berth:target` is "weights". */
export function keepsWeights(): boolean {
  return pulumi.runtime.allConfig()["berth:target"] === "weights";
}

/**
 * A bucket of weights with a life of its own: hosts come and go, and what was pushed stays until this stack is taken down.
 *
 * @throws UserError with every problem of the stack's file
 */
export function deployWeights(): WeightsStackOutputs {
  const stack = pulumi.getStack();
  const settings = parseWeightsSettings(stack, pulumi.runtime.allConfig());
  const { env, owner, protect, region } = settings;
  const tags = identityTags({
    ...{ stack, env, owner, protect, model: "weights", hourlyUsd: 0 },
    own: settings.tags,
  });
  const account = new aws.Provider(partName(stack, "aws"), {
    region: region as aws.Region,
    defaultTags: { tags },
    maxRetries: 3,
  });
  const store = new WeightsBucket(
    partName(stack, "store"),
    { disposable: !protect, tags },
    { providers: [account], protect },
  );
  return { owner, weightsBucket: store.bucketName };
}
