import * as pulumi from "@pulumi/pulumi";
import type { EndpointPlan } from "./endpoint-plan.ts";
import { firstVariantName, type FurtherModel } from "./further-models.ts";

/** One model of an endpoint: a variant's, or a component's. */
export interface ServedPart extends Pick<
  FurtherModel,
  | "modelId"
  | "weightsPrefix"
  | "container"
  | "copy"
  | "minInstances"
  | "maxInstances"
  | "concurrency"
  | "downloadTimeoutSeconds"
  | "startupTimeoutSeconds"
> {
  /** Whether it gets copies of requests, and its answers go nowhere. */
  readonly isShadow: boolean;
  /** What the names of its resources begin with. */
  readonly name: string;
  readonly variantName: string;
  /** Undefined where the variant has the model itself. */
  readonly componentName: pulumi.Output<string> | undefined;
}

/** Every model that an endpoint serves, the stack's own first; its component carries the endpoint's name. */
export function servedParts(
  name: string,
  plan: EndpointPlan,
  endpointName: pulumi.Input<string>,
): readonly [ServedPart, ...ServedPart[]] {
  const { endpoint, modelId, concurrency } = plan;
  const isShared = endpoint.copy !== undefined;
  const first: ServedPart = {
    ...endpoint,
    ...{ name, modelId, concurrency, weightsPrefix: undefined, variantName: firstVariantName },
    isShadow: false,
    componentName: isShared ? pulumi.output(endpointName) : undefined,
  };
  const further = endpoint.further.map((each): ServedPart => {
    return {
      ...each,
      name: `${name}-${each.name}`,
      // Of the same model they are the stack's own; of another they lie where `berth push` puts them.
      weightsPrefix:
        each.weightsPrefix ?? (each.modelId === modelId ? undefined : `${each.modelId}/`),
      variantName: isShared ? firstVariantName : each.name,
      componentName: isShared ? pulumi.interpolate`${endpointName}-${each.name}` : undefined,
    };
  });
  return [first, ...further];
}

/** Where the log lines of a part go, below `/aws/sagemaker/`. */
export function logOwner(
  { componentName }: ServedPart,
  endpointName: pulumi.Input<string>,
): pulumi.Output<string> {
  return componentName === undefined
    ? pulumi.interpolate`Endpoints/${endpointName}`
    : pulumi.interpolate`InferenceComponents/${componentName}`;
}
