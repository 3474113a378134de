import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags } from "../named-tags.ts";
import { executionRole } from "./execution-role.ts";
import { alarmNamePrefix } from "./rollback-alarms.ts";
import type { SageMakerEndpointArgs } from "./sagemaker-endpoint.ts";
import { logOwner, type ServedPart } from "./served-part.ts";
import type { TrafficBuckets } from "./traffic-bucket.ts";

/** A part of an endpoint, and its model as SageMaker has it. */
export interface HostedModel {
  readonly part: ServedPart;
  readonly model: aws.sagemaker.Model;
}

interface HostedModelsArgs extends SageMakerEndpointArgs, TrafficBuckets {
  readonly parts: readonly ServedPart[];
}

/** The models of all parts, with one role that reads no weights but theirs. */
export function hostedModels(
  name: string,
  args: HostedModelsArgs,
  parent: pulumi.Resource,
): readonly HostedModel[] {
  const { plan, weights, parts, endpointName } = args;
  const { update, further } = plan.endpoint;
  const others = further.filter(({ isShadow }) => !isShadow).map((each) => each.name);
  const watched = [undefined, ...others].map((variant) => `${alarmNamePrefix(name, variant)}-*`);
  const prefixOf = ({ weightsPrefix = weights.prefix }: ServedPart) => weightsPrefix;
  const { role, policy } = executionRole(
    name,
    {
      ...args,
      prefixes: parts.map(prefixOf),
      images: parts.map(({ container }) => container.image),
      logOwners: parts.map((part) => logOwner(part, endpointName)),
      alarms: update.bakeSeconds === 0 ? [] : [...watched, ...update.alarms],
      inVpc: args.vpc !== undefined,
    },
    parent,
  );
  // SageMaker looks at the data with this role when the model is made.
  const run = { ...args, roleArn: role.arn, policy };
  return parts.map((part) => {
    const model = hostedModel(part, { ...run, prefix: prefixOf(part) }, parent);
    return { part, model };
  });
}

interface HostedModelArgs extends SageMakerEndpointArgs {
  readonly roleArn: pulumi.Output<string>;
  readonly policy: aws.iam.RolePolicy;
  readonly prefix: string;
}

/** The weights as a container gets them: an archive that is unpacked, or the files below a prefix. */
function modelData({ plan, weights, prefix }: HostedModelArgs) {
  const uri = pulumi.interpolate`s3://${weights.bucket}/${prefix}`;
  if (plan.endpoint.serverless !== undefined) return { modelDataUrl: uri };
  // The slash at its end makes it a prefix.
  const source = { s3Uri: uri, s3DataType: "S3Prefix", compressionType: "None" };
  return { modelDataSource: { s3DataSources: [source] } };
}

function hostedModel(
  { name, container: { image, environment } }: ServedPart,
  args: HostedModelArgs,
  parent: pulumi.Resource,
): aws.sagemaker.Model {
  const { vpc, tags, roleArn, policy, networkIsolation = false } = args;
  return new aws.sagemaker.Model(
    `${name}-model`,
    {
      executionRoleArn: roleArn,
      primaryContainer: { image, environment, ...modelData(args) },
      ...(networkIsolation ? { enableNetworkIsolation: true } : {}),
      ...(vpc === undefined
        ? {}
        : {
            vpcConfig: { subnets: [...vpc.subnetIds], securityGroupIds: [...vpc.securityGroupIds] },
          }),
      tags: namedTags(tags, `${name}-model`),
    },
    { parent, dependsOn: [policy] },
  );
}
