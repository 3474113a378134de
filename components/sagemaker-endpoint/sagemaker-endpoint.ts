import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { endpointHours } from "./endpoint-hours.ts";
import { endpointConfiguration } from "./endpoint-configuration.ts";
import type { EndpointPlan } from "./endpoint-plan.ts";
import { endpointScaling } from "./endpoint-scaling.ts";
import type { WeightsSource } from "./execution-role.ts";
import { firstVariantName } from "./further-models.ts";
import { HostedEndpoint } from "./hosted-endpoint.ts";
import { hostedModels } from "./hosted-models.ts";
import { provenPart } from "./proven-part.ts";
import { guardedUpdate } from "./rollback-alarms.ts";
import { logOwner, servedParts, type ServedPart } from "./served-part.ts";
import type { ServingContainer } from "./serving-container.ts";
import { trafficBuckets } from "./traffic-bucket.ts";

/** What an endpoint is made of. */
export interface SageMakerEndpointArgs {
  readonly plan: EndpointPlan;
  readonly region: string;
  /** At most 63 letters, digits and hyphens; chosen beforehand, so that what ends the endpoint can be armed first. */
  readonly endpointName: pulumi.Input<string>;
  readonly weights: WeightsSource;
  /** What has to be there before the endpoint: what ends it. */
  readonly after: readonly pulumi.Resource[];
  readonly tags: TagInputs;
  /** RFC 3339; after it no weekly hours start the endpoint again. @default no end */
  readonly expiresAt?: pulumi.Input<string> | undefined;
  /** Encrypts the instances' storage where the type takes a volume. @default AWS's own key */
  readonly kmsKeyArn?: string | undefined;
  /**
   * Whether the containers can call nobody; SageMaker brings weights and requests to them all the same
   * (https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html). @default false
   */
  readonly networkIsolation?: boolean | undefined;
  /** Where the containers get network interfaces. @default none: they reach S3 and ECR through SageMaker's own network */
  readonly vpc?: {
    readonly subnetIds: readonly string[];
    readonly securityGroupIds: readonly string[];
  };
}

/** A model of an endpoint, and what a request for it alone names. */
export interface ServedModel {
  readonly modelId: string;
  /** What it takes: a text to go on with, or a talk. */
  readonly requestForm: ServingContainer["requestForm"];
  readonly variant?: string;
  readonly component?: pulumi.Output<string>;
}

/** Days that an endpoint's log lines stay. */
const logDays = 14;

/**
 * A model on a SageMaker endpoint: an execution role that reads one prefix, the model with its data uncompressed in S3, a
 * configuration, and the endpoint that uses it. A change makes a new model and a new configuration beside the old ones,
 * moves the endpoint to them, and removes the old ones only then; the endpoint itself stays, and so does its name.
 *
 * ### Cost
 * The placement's hourly price for every instance that runs; model and configuration cost nothing.
 */
export class SageMakerEndpoint extends pulumi.ComponentResource {
  readonly endpointName: pulumi.Output<string>;
  readonly endpointArn: pulumi.Output<string>;
  /** SageMaker's word, or "stopped". */
  readonly state: pulumi.Output<string>;
  readonly configName: pulumi.Output<string>;
  /** What it runs on: the plan's type, or the one that SageMaker took in its place. */
  readonly instanceType: pulumi.Output<string>;
  /** Where requests and answers lie in async mode. */
  readonly asyncUri: pulumi.Output<string> | undefined;
  /** What requests have to name besides the endpoint, where an inference component brings the model. */
  readonly componentName: pulumi.Output<string> | undefined;
  /** What else is served: names of variants, or of components. */
  readonly served: readonly ServedModel[];
  /** Where captured requests and answers lie. */
  readonly capturesUri: pulumi.Output<string> | undefined;

  constructor(name: string, args: SageMakerEndpointArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:SageMakerEndpoint", name, {}, opts);
    const { plan, endpointName, region } = args;
    const { update, hours, pools, further } = plan.endpoint;
    const isShared = plan.endpoint.copy !== undefined;
    const traffic = trafficBuckets(name, args, this);
    const parts = servedParts(name, plan, endpointName);
    const models = hostedModels(name, { ...args, ...traffic, parts }, this);
    const made = { ...args, ...traffic, models };
    const configuration = endpointConfiguration(name, made, this);
    // What a shadow answers takes no update back.
    const answering = further.filter((each) => !each.isShadow);
    const furtherVariants = isShared ? [] : answering.map((each) => each.name);
    const guarded = { ...args, update, furtherVariants };
    const deploymentConfig = guardedUpdate(name, guarded, this);
    const logs = logGroups({ ...args, parts }, this);
    const tags = namedTags(args.tags, `${name}-endpoint`);
    const named = { endpointName, configName: configuration.name };
    // What stops it is armed before it starts.
    const timed = { ...args, ...named, hours: hours?.text ?? "", endpointTags: tags };
    const switched = hours === undefined ? [] : endpointHours(name, timed, this);
    const weights = weightsOf(plan);
    const endpoint = new HostedEndpoint(
      `${name}-endpoint`,
      { ...named, region, tags, deploymentConfig, hours: hours?.text, weights },
      { parent: this, dependsOn: [...args.after, ...logs, ...switched] },
    );
    const asked = models.filter(({ part }) => !part.isShadow);
    const components = asked.flatMap(({ part, model }) => {
      const { component, answer } = provenPart(
        { part, modelName: model.name },
        { ...args, ...named, endpoint },
        this,
      );
      endpointScaling(part.name, { ...scaledPart(args, part), after: answer }, this);
      return component === undefined ? [] : [component];
    });
    this.endpointName = endpoint.endpointName;
    this.endpointArn = endpoint.arn;
    this.state = endpoint.state;
    this.configName = configuration.name;
    this.instanceType = endpoint.instanceType.apply((chosen) =>
      pools.some(({ instanceType }) => instanceType === chosen)
        ? chosen
        : plan.ladder[0].instanceType,
    );
    const { asyncBucket, captureBucket } = traffic;
    this.asyncUri = asyncBucket && pulumi.interpolate`s3://${asyncBucket}/`;
    this.componentName = components[0]?.componentName;
    this.served = asked.map(({ part: { modelId, variantName, container } }, index) => {
      const component = components[index]?.componentName;
      const { requestForm } = container;
      const named = component === undefined ? { variant: variantName } : { component };
      return { modelId, requestForm, ...named };
    });
    this.capturesUri = captureBucket && pulumi.interpolate`s3://${captureBucket}/captures/`;
    this.registerOutputs({ endpointName: this.endpointName, endpointArn: this.endpointArn });
  }
}

/** Weights of the variants; undefined where one has everything. */
function weightsOf({ endpoint: { copy, share, further } }: EndpointPlan) {
  const variants = further.filter(({ isShadow }) => !isShadow);
  if (copy !== undefined || variants.length === 0) return undefined;
  const others = variants.map((each) => [each.name, each.share] as const);
  return Object.fromEntries([[firstVariantName, share] as const, ...others]);
}

function scaledPart({ plan, endpointName, tags }: SageMakerEndpointArgs, part: ServedPart) {
  const { minInstances, maxInstances, concurrency, componentName, variantName } = part;
  const { mode } = plan.endpoint;
  const servedName = componentName ?? variantName;
  return { mode, minInstances, maxInstances, concurrency, endpointName, servedName, tags };
}

/** Made before what writes there, since SageMaker makes them without a retention, and gives them no tags. */
function logGroups(
  { parts, endpointName, tags }: SageMakerEndpointArgs & { readonly parts: readonly ServedPart[] },
  parent: pulumi.Resource,
): readonly aws.cloudwatch.LogGroup[] {
  const own = parts.filter(
    ({ componentName }, index) => componentName !== undefined || index === 0,
  );
  return own.map(
    (part) =>
      new aws.cloudwatch.LogGroup(
        `${part.name}-logs`,
        {
          name: pulumi.interpolate`/aws/sagemaker/${logOwner(part, endpointName)}`,
          retentionInDays: logDays,
          tags: namedTags(tags, `${part.name}-logs`),
        },
        { parent },
      ),
  );
}
