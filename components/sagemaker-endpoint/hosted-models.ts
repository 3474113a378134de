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
  const watched = [undefined, ...further.map((each) => each.name)].map(
    (variant) => `${alarmNamePrefix(name, variant)}-*`,
  );
  const prefixOf = ({ weightsPrefix = weights.prefix }: ServedPart) => weightsPrefix;
  const { role, policy } = executionRole(
    name,
    {
      ...args,
      prefixes: parts.map(prefixOf),
      images: parts.map(({ container }) => container.image),
      logOwners: parts.map((part) => logOwner(part, endpointName)),
      alarms: update.bakeSeconds === 0 ? [] : [...watched, ...update.alarms],
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

function hostedModel(
  { name, container: { image, environment } }: ServedPart,
  { weights, vpc, tags, roleArn, policy, prefix }: HostedModelArgs,
  parent: pulumi.Resource,
): aws.sagemaker.Model {
  return new aws.sagemaker.Model(
    `${name}-model`,
    {
      executionRoleArn: roleArn,
      primaryContainer: {
        image,
        environment,
        modelDataSource: {
          s3DataSources: [
            {
              // The slash at the end makes it a prefix.
              s3Uri: pulumi.interpolate`s3://${weights.bucket}/${prefix}`,
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
      tags: namedTags(tags, `${name}-model`),
    },
    { parent, dependsOn: [policy] },
  );
}
