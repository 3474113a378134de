import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { hourlyTag, identityTags, partName, runTag } from "../components/identity.ts";
import type { TagInputs } from "../components/named-tags.ts";
import type { FirstNotebook } from "../components/notebook/first-notebook.ts";
import { NotebookInstance } from "../components/notebook-instance/notebook-instance.ts";
import {
  componentEndings,
  endpointName,
} from "../components/sagemaker-endpoint/endpoint-limits.ts";
import type { EndpointPlan } from "../components/sagemaker-endpoint/endpoint-plan.ts";
import { SageMakerEndpoint } from "../components/sagemaker-endpoint/sagemaker-endpoint.ts";
import { weightsKey } from "../components/sagemaker-endpoint/weights-archive.ts";
import { EndpointTeardown } from "../components/teardown/endpoint-teardown.ts";
import { otherRegions } from "../components/teardown/sweep-regions.ts";
import { armBudget } from "./armed-budget.ts";
import { checkBudget } from "./budget.ts";
import { hasEnd, makeLease, type DeploymentLease } from "./deployment-lease.ts";
import { inAccountOf } from "./in-account.ts";
import { checkLicence, licencedModels } from "./licence.ts";
import type { EndpointSettings } from "./settings.ts";

/** What an endpoint's deployment turned out to be. */
export interface EndpointDeployment {
  readonly settings: EndpointSettings;
  readonly plan: EndpointPlan;
  readonly lease: DeploymentLease;
  readonly endpoint: SageMakerEndpoint;
  readonly notebook: NotebookInstance | undefined;
  readonly weightsUri: string;
}

/**
 * A model on a SageMaker endpoint: what ends it first, then the model, its configuration and the endpoint.
 *
 * @throws UserError when the plan's model is gated and its licence is not accepted
 */
export function deployEndpoint(settings: EndpointSettings, plan: EndpointPlan): EndpointDeployment {
  for (const served of licencedModels(plan)) {
    checkLicence(settings, served, pulumi.runtime.isDryRun());
  }
  checkBudget(settings, plan);
  const { stack, env, owner, region, protect, kmsKeyArn } = settings;
  const name = (role: string) => partName(stack, role);
  const candidate = { now: new Date(), runId: randomBytes(6).toString("hex") };
  const lease = makeLease(name("lease"), settings, candidate);
  const { modelId: model } = plan;
  // The notebook has a price of its own, which its own tag says.
  const hourlyUsd = plan.hourlyUsd - (plan.endpoint.notebook?.hourlyUsd ?? 0);
  const identity = identityTags({
    stack,
    env,
    owner,
    protect,
    model,
    hourlyUsd,
    own: settings.tags,
  });
  const tags = { ...identity, [runTag]: lease.runId };
  const inAccount = inAccountOf(settings, tags);
  const { weightsBucket: bucket, weightsKmsKeyArn, networkIsolation } = settings;
  const weights = { bucket, prefix: weightsKey(plan, settings), kmsKeyArn: weightsKmsKeyArn };
  const endings = componentEndings(plan.endpoint);
  const physicalName = lease.runId.apply((runId) => endpointName(stack, runId, endings));
  const { expiresAt, runId } = lease;
  const sweepRegions = otherRegions(settings.sweepRegions ?? [], region);
  const run = { stack, owner, runId, expiresAt, tags, sweepRegions };
  const hasNotebook = plan.endpoint.notebook !== undefined;
  const ended = { endpointName: physicalName, componentEndings: endings, hasNotebook, ...run };
  const teardown = hasEnd(settings)
    ? [new EndpointTeardown(name("teardown"), ended, inAccount)]
    : [];
  const armed = [...teardown, ...armBudget(settings, { tags, inAccount })];
  const endpoint = new SageMakerEndpoint(
    name("endpoint"),
    {
      plan,
      region,
      endpointName: physicalName,
      weights,
      // Armed first: from the moment that something costs, something ends it.
      after: armed,
      tags,
      expiresAt: hasEnd(settings) ? expiresAt : undefined,
      ...{ kmsKeyArn, networkIsolation },
      ...vpcOf(settings),
    },
    { ...inAccount, protect },
  );
  const notebook = notebookBeside(
    { ...settings, name: name("notebook"), endpoint, lease, armed, tags },
    plan,
    { ...inAccount, protect },
  );
  const weightsUri = `s3://${bucket}/${weights.prefix}`;
  return { settings, plan, lease, endpoint, notebook, weightsUri };
}

interface NotebookSettings extends Pick<
  EndpointSettings,
  "region" | "kmsKeyArn" | "subnetIds" | "securityGroupIds"
> {
  readonly name: string;
  readonly endpoint: SageMakerEndpoint;
  readonly lease: DeploymentLease;
  readonly armed: readonly pulumi.Resource[];
  readonly tags: TagInputs;
}

/** The notebook instance of the plan, which has the endpoint's name. */
function notebookBeside(
  settings: NotebookSettings,
  { modelId, hourlyUsd, endpoint: { notebook, container } }: EndpointPlan,
  opts: pulumi.ComponentResourceOptions,
): NotebookInstance | undefined {
  if (notebook === undefined) return undefined;
  const { name, endpoint, lease, armed, tags, region, kmsKeyArn } = settings;
  const first = pulumi
    .all([endpoint.endpointName, lease.expiresAt])
    .apply(([endpointName, expiresAt]): FirstNotebook => ({
      ...{ modelId, hourlyUsd, form: container.requestForm },
      model: { kind: "endpoint", endpointName, region },
      expiresAt: expiresAt === "" ? undefined : expiresAt,
    }));
  const { endpointName } = endpoint;
  const named = { notebookName: endpointName, endpointName };
  const own = { ...tags, [hourlyTag]: notebook.hourlyUsd.toFixed(4) };
  const after = [...armed, endpoint];
  const args = { plan: notebook, region, first, after, tags: own, kmsKeyArn };
  return new NotebookInstance(name, { ...args, ...named, ...vpcOf(settings) }, opts);
}

function vpcOf({
  subnetIds,
  securityGroupIds,
}: Pick<EndpointSettings, "subnetIds" | "securityGroupIds">) {
  return subnetIds === undefined || securityGroupIds === undefined
    ? {}
    : { vpc: { subnetIds, securityGroupIds } };
}
