import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { EndpointAnswer } from "./endpoint-answer.ts";
import { endpointHours } from "./endpoint-hours.ts";
import { endpointConfiguration } from "./endpoint-configuration.ts";
import type { EndpointPlan } from "./endpoint-plan.ts";
import { endpointScaling } from "./endpoint-scaling.ts";
import { HostedEndpoint } from "./hosted-endpoint.ts";
import { executionRole, type WeightsSource } from "./execution-role.ts";
import { alarmNamePrefix, guardedUpdate } from "./rollback-alarms.ts";
import { trafficBucket } from "./traffic-bucket.ts";

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
  /** Where the containers get network interfaces. @default none: they reach S3 and ECR through SageMaker's own network */
  readonly vpc?: {
    readonly subnetIds: readonly string[];
    readonly securityGroupIds: readonly string[];
  };
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
  /** Where captured requests and answers lie. */
  readonly capturesUri: pulumi.Output<string> | undefined;

  constructor(name: string, args: SageMakerEndpointArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:SageMakerEndpoint", name, {}, opts);
    const { mode, container, update, hours, pools } = args.plan.endpoint;
    const traffic = trafficBuckets(name, args, this);
    const model = servedModel(name, { ...args, ...traffic }, this);
    const configuration = endpointConfiguration(name, { ...args, ...traffic, model }, this);
    const deploymentConfig = guardedUpdate(name, { ...args, update }, this);
    // Made first, since SageMaker makes it without a retention, and gives it no tags.
    const logs = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      {
        name: pulumi.interpolate`/aws/sagemaker/Endpoints/${args.endpointName}`,
        retentionInDays: logDays,
        tags: namedTags(args.tags, `${name}-logs`),
      },
      { parent: this },
    );
    const endpointTags = namedTags(args.tags, `${name}-endpoint`);
    const named = { endpointName: args.endpointName, configName: configuration.name };
    // What stops it is armed before it starts.
    const switched =
      hours === undefined
        ? []
        : endpointHours(name, { ...args, ...named, hours: hours.text, endpointTags }, this);
    const endpoint = new HostedEndpoint(
      `${name}-endpoint`,
      { ...named, region: args.region, tags: endpointTags, deploymentConfig, hours: hours?.text },
      { parent: this, dependsOn: [...args.after, logs, ...switched] },
    );
    const answer = new EndpointAnswer(
      `${name}-answer`,
      {
        ...named,
        region: args.region,
        realtime: mode === "realtime",
        requestForm: container.requestForm,
        state: endpoint.state,
      },
      { parent: this, dependsOn: [endpoint] },
    );
    endpointScaling(name, { ...args, after: answer }, this);
    this.endpointName = endpoint.endpointName;
    this.endpointArn = endpoint.arn;
    this.state = endpoint.state;
    this.configName = configuration.name;
    this.instanceType = endpoint.instanceType.apply((chosen) =>
      pools.some(({ instanceType }) => instanceType === chosen)
        ? chosen
        : args.plan.ladder[0].instanceType,
    );
    const { asyncBucket, captureBucket } = traffic;
    this.asyncUri = asyncBucket && pulumi.interpolate`s3://${asyncBucket}/`;
    this.capturesUri = captureBucket && pulumi.interpolate`s3://${captureBucket}/captures/`;
    this.registerOutputs({ endpointName: this.endpointName, endpointArn: this.endpointArn });
  }
}

interface TrafficBuckets {
  readonly asyncBucket: pulumi.Output<string> | undefined;
  readonly captureBucket: pulumi.Output<string> | undefined;
}

function trafficBuckets(
  name: string,
  { plan, tags }: SageMakerEndpointArgs,
  parent: pulumi.Resource,
): TrafficBuckets {
  const { mode, captureDataPercent } = plan.endpoint;
  const bucket = (role: string) => trafficBucket(`${name}-${role}`, tags, parent).bucket;
  return {
    asyncBucket: mode === "async" ? bucket("queue") : undefined,
    captureBucket: captureDataPercent > 0 ? bucket("captures") : undefined,
  };
}

interface ServedModelArgs extends SageMakerEndpointArgs, TrafficBuckets {}

function servedModel(
  name: string,
  args: ServedModelArgs,
  parent: pulumi.Resource,
): aws.sagemaker.Model {
  const { plan, weights, vpc } = args;
  const { container, update } = plan.endpoint;
  const { image, environment } = container;
  const alarms = update.bakeSeconds === 0 ? [] : [`${alarmNamePrefix(name)}-*`, ...update.alarms];
  const { role, policy } = executionRole(name, { ...args, image, alarms }, parent);
  return new aws.sagemaker.Model(
    `${name}-model`,
    {
      executionRoleArn: role.arn,
      primaryContainer: {
        image,
        environment,
        modelDataSource: {
          s3DataSources: [
            {
              // The slash at the end makes it a prefix.
              s3Uri: pulumi.interpolate`s3://${weights.bucket}/${weights.prefix}`,
              s3DataType: "S3Prefix",
              compressionType: "None",
            },
          ],
        },
      },
      ...(vpc === undefined
        ? {}
        : {
            vpcConfig: { subnets: [...vpc.subnetIds], securityGroupIds: [...vpc.securityGroupIds] },
          }),
      tags: namedTags(args.tags, `${name}-model`),
    },
    // SageMaker looks at the data with this role when the model is made.
    { parent, dependsOn: [policy] },
  );
}
