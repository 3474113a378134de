import type * as pulumi from "@pulumi/pulumi";
import { modelTag } from "../identity.ts";
import { namedTags } from "../named-tags.ts";
import { EndpointAnswer, type EndpointAnswerArgs } from "./endpoint-answer.ts";
import { firstVariantName } from "./further-models.ts";
import type { HostedEndpoint } from "./hosted-endpoint.ts";
import { InferenceComponent } from "./inference-component.ts";
import type { SageMakerEndpointArgs } from "./sagemaker-endpoint.ts";
import type { ServedPart } from "./served-part.ts";

interface ServedPartArgs extends SageMakerEndpointArgs {
  readonly endpoint: HostedEndpoint;
  readonly configName: pulumi.Input<string>;
}

/** A part, and the model that it runs. */
interface RunPart {
  readonly part: ServedPart;
  readonly modelName: pulumi.Output<string>;
}

/** What serves a part on its endpoint, and the proof that it answers; no component where its variant has the model itself. */
export function provenPart(
  run: RunPart,
  args: ServedPartArgs,
  parent: pulumi.Resource,
): { readonly component: InferenceComponent | undefined; readonly answer: EndpointAnswer } {
  const component = inferenceComponent(run, args, parent);
  return { component, answer: proof(run, { ...args, component }, parent) };
}

/** The component that brings a model; undefined where its variant has the model itself. */
function inferenceComponent(
  { part, modelName }: RunPart,
  { endpoint, configName, region, tags }: ServedPartArgs,
  parent: pulumi.Resource,
): InferenceComponent | undefined {
  const { name, copy, componentName, minInstances } = part;
  const { downloadTimeoutSeconds, startupTimeoutSeconds } = part;
  if (copy === undefined || componentName === undefined) return undefined;
  const { endpointName } = endpoint;
  return new InferenceComponent(
    `${name}-component`,
    {
      ...{ componentName, endpointName, modelName, configName, region },
      variantName: firstVariantName,
      ...{ ...copy, downloadTimeoutSeconds, startupTimeoutSeconds },
      // It cannot begin with none; scaling takes it there.
      copies: Math.max(1, minInstances),
      // By it the cost of the instances is shared out.
      tags: namedTags({ ...tags, [modelTag]: part.modelId }, `${name}-component`),
    },
    { parent, dependsOn: [endpoint] },
  );
}

interface ProofArgs extends ServedPartArgs {
  readonly component: InferenceComponent | undefined;
}

/** What proves that a part answers. */
function proof(
  { part: { name, container, variantName }, modelName }: RunPart,
  { plan, endpoint, configName, component, region, endpointName }: ProofArgs,
  parent: pulumi.Resource,
): EndpointAnswer {
  const isOneOfSeveral =
    component === undefined && plan.endpoint.further.some(({ isShadow }) => !isShadow);
  return new EndpointAnswer(
    `${name}-answer`,
    {
      ...{ endpointName, configName, region },
      realtime: plan.endpoint.mode !== "async",
      ...(isOneOfSeveral ? { variantName } : {}),
      component: component && proven(component, modelName),
      requestForm: container.requestForm,
      state: endpoint.state,
    },
    { parent, dependsOn: [component ?? endpoint] },
  );
}

/** What the answer of a component proves. */
function proven(
  { componentName, state }: InferenceComponent,
  modelName: pulumi.Output<string>,
): NonNullable<EndpointAnswerArgs["component"]> {
  return { name: componentName, modelName, state };
}
