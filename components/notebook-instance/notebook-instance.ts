import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { sagemakerRole } from "../sagemaker-role.ts";
import { firstNotebook, type FirstNotebook } from "../notebook/first-notebook.ts";
import type { NotebookPlan } from "./notebook-plan.ts";
import { onStartScript } from "./on-start.ts";

/** What a notebook instance is made of. */
export interface NotebookInstanceArgs {
  readonly plan: NotebookPlan;
  readonly region: string;
  /** Chosen beforehand, so that what ends it can be armed first. */
  readonly notebookName: pulumi.Input<string>;
  /** The model's endpoint, which it may ask; nothing else. */
  readonly endpointName: pulumi.Output<string>;
  /** What the first notebook says and asks. */
  readonly first: pulumi.Input<FirstNotebook>;
  /** What has to be there before it: what ends it, and the endpoint. */
  readonly after: readonly pulumi.Resource[];
  readonly tags: TagInputs;
  /** Encrypts its disk. @default AWS's own key */
  readonly kmsKeyArn?: string | undefined;
  /** Where its network interface is; then it has no other way to the internet. @default SageMaker's own network */
  readonly vpc?: {
    readonly subnetIds: readonly string[];
    readonly securityGroupIds: readonly string[];
  };
}

/** The image of a notebook instance; named, since AWS's default moves. */
const platformIdentifier = "notebook-al2023-v1";

/**
 * JupyterLab on a SageMaker notebook instance that may ask one endpoint, stops itself when nobody uses it, and ends with the
 * stack's lease. Nobody is root on it, and its metadata service takes tokens only.
 *
 * ### Cost
 * The plan's price an hour while it runs; stopped, its disk (10 GiB).
 */
export class NotebookInstance extends pulumi.ComponentResource {
  readonly notebookName: pulumi.Output<string>;

  constructor(name: string, args: NotebookInstanceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:NotebookInstance", name, {}, opts);
    const { plan, region, vpc, tags, kmsKeyArn } = args;
    const { role, policy } = notebookRole(name, args, this);
    const script = pulumi
      .all([args.notebookName, args.first])
      .apply(([notebookName, first]) =>
        onStartScript({ ...plan, notebookName, region, notebook: firstNotebook(first) }),
      );
    const lifecycle = new aws.sagemaker.NotebookInstanceLifecycleConfiguration(
      `${name}-lifecycle`,
      {
        onStart: script.apply((text) => Buffer.from(text).toString("base64")),
        tags: namedTags(tags, `${name}-lifecycle`),
      },
      { parent: this },
    );
    const instance = new aws.sagemaker.NotebookInstance(
      `${name}-instance`,
      {
        name: args.notebookName,
        instanceType: plan.instanceType,
        roleArn: role.arn,
        lifecycleConfigName: lifecycle.name,
        platformIdentifier,
        volumeSize: plan.volumeGiB,
        rootAccess: "Disabled",
        instanceMetadataServiceConfiguration: { minimumInstanceMetadataServiceVersion: "2" },
        directInternetAccess: vpc === undefined ? "Enabled" : "Disabled",
        ...(vpc?.subnetIds[0] === undefined
          ? {}
          : { subnetId: vpc.subnetIds[0], securityGroups: [...vpc.securityGroupIds] }),
        ...(kmsKeyArn === undefined ? {} : { kmsKeyId: kmsKeyArn }),
        tags: namedTags(tags, `${name}-instance`),
      },
      { parent: this, dependsOn: [...args.after, policy] },
    );
    this.notebookName = instance.name;
    this.registerOutputs({ notebookName: this.notebookName });
  }
}

/** What the notebook may do, besides being stopped by itself. */
export function notebookPolicy(known: {
  readonly notebookName: string;
  readonly endpointName: string;
  readonly account: string;
  readonly region: string;
}): string {
  const { notebookName, endpointName, account, region } = known;
  const Effect = "Allow";
  const at = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`;
  const logs = at("logs", "log-group:/aws/sagemaker/NotebookInstances");
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "AskTheModel",
        Effect,
        Action: ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"],
        Resource: [
          at("sagemaker", `endpoint/${endpointName}`),
          at("sagemaker", `inference-component/${endpointName}*`),
        ],
      },
      {
        Sid: "StopItself",
        Effect,
        Action: "sagemaker:StopNotebookInstance",
        Resource: at("sagemaker", `notebook-instance/${notebookName}`),
      },
      {
        Sid: "WriteLogs",
        Effect,
        Action: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        Resource: [logs, `${logs}:log-stream:${notebookName}/*`],
      },
    ],
  });
}

function notebookRole(
  name: string,
  { notebookName, endpointName, region, tags }: NotebookInstanceArgs,
  parent: pulumi.Resource,
): { readonly role: aws.iam.Role; readonly policy: aws.iam.RolePolicy } {
  const account = aws.getCallerIdentityOutput({}, { parent }).accountId;
  const role = sagemakerRole(
    `${name}-role`,
    { description: "berth: what one notebook instance may do", region, account, tags },
    { parent },
  );
  const policy = new aws.iam.RolePolicy(
    `${name}-ask`,
    {
      role: role.name,
      policy: pulumi
        .all([notebookName, endpointName, account])
        .apply(([notebook, endpoint, id]) =>
          notebookPolicy({ notebookName: notebook, endpointName: endpoint, account: id, region }),
        ),
    },
    { parent },
  );
  return { role, policy };
}
