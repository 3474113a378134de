import { OfflineError } from "../../offline-error.ts";
import type { FunctionType } from "../engine/function-type.ts";
import type { ResourceType } from "../engine/resource-type.ts";

/** Loads one file of types; it is done when one of them is first used, so that the plugin starts at once. */
type Load<T> = () => Promise<T>;

const resources: Readonly<Record<string, Load<ResourceType>>> = {
  "aws:appautoscaling/policy:Policy": async () =>
    (await import("./appautoscaling/policy.ts")).policy,
  "aws:appautoscaling/target:Target": async () =>
    (await import("./appautoscaling/target.ts")).target,
  "aws:budgets/budget:Budget": async () => (await import("./budgets/budget.ts")).budget,
  "aws:budgets/budgetAction:BudgetAction": async () =>
    (await import("./budgets/budget-action.ts")).budgetAction,
  "aws:cloudwatch/metricAlarm:MetricAlarm": async () =>
    (await import("./cloudwatch/metric-alarm.ts")).metricAlarm,
  "aws:cloudwatch/logGroup:LogGroup": async () =>
    (await import("./cloudwatch/log-group.ts")).logGroup,
  "aws:ec2/internetGateway:InternetGateway": async () =>
    (await import("./ec2/internet-gateway.ts")).internetGateway,
  "aws:ec2/keyPair:KeyPair": async () => (await import("./ec2/key-pair.ts")).keyPair,
  "aws:ec2/launchTemplate:LaunchTemplate": async () =>
    (await import("./ec2/launch-template.ts")).launchTemplate,
  "aws:ec2/placementGroup:PlacementGroup": async () =>
    (await import("./ec2/placement-group.ts")).placementGroup,
  "aws:ec2/route:Route": async () => (await import("./ec2/route.ts")).route,
  "aws:ec2/routeTable:RouteTable": async () => (await import("./ec2/route-table.ts")).routeTable,
  "aws:ec2/routeTableAssociation:RouteTableAssociation": async () =>
    (await import("./ec2/route-table-association.ts")).routeTableAssociation,
  "aws:ec2/securityGroup:SecurityGroup": async () =>
    (await import("./ec2/security-group.ts")).securityGroup,
  "aws:ec2/subnet:Subnet": async () => (await import("./ec2/subnet.ts")).subnet,
  "aws:ec2/vpc:Vpc": async () => (await import("./ec2/vpc.ts")).vpc,
  "aws:ec2/vpcEndpoint:VpcEndpoint": async () =>
    (await import("./ec2/vpc-endpoint.ts")).vpcEndpoint,
  "aws:iam/instanceProfile:InstanceProfile": async () =>
    (await import("./iam/instance-profile.ts")).instanceProfile,
  "aws:iam/role:Role": async () => (await import("./iam/role.ts")).role,
  "aws:iam/rolePolicy:RolePolicy": async () => (await import("./iam/role-policy.ts")).rolePolicy,
  "aws:s3/bucket:Bucket": async () => (await import("./s3/bucket.ts")).bucket,
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": async () =>
    (await import("./s3/bucket-lifecycle-configuration.ts")).bucketLifecycleConfiguration,
  "aws:s3/bucketPolicy:BucketPolicy": async () =>
    (await import("./s3/bucket-policy.ts")).bucketPolicy,
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": async () =>
    (await import("./s3/bucket-public-access-block.ts")).bucketPublicAccessBlock,
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
    async () =>
      (await import("./s3/bucket-server-side-encryption-configuration.ts"))
        .bucketServerSideEncryptionConfiguration,
  "aws:sagemaker/endpoint:Endpoint": async () => (await import("./sagemaker/endpoint.ts")).endpoint,
  "aws:sagemaker/endpointConfiguration:EndpointConfiguration": async () =>
    (await import("./sagemaker/endpoint-configuration.ts")).endpointConfiguration,
  "aws:sagemaker/notebookInstance:NotebookInstance": async () =>
    (await import("./sagemaker/notebook-instance.ts")).notebookInstance,
  "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration":
    async () => (await import("./sagemaker/notebook-lifecycle.ts")).notebookLifecycle,
  "aws:sagemaker/model:Model": async () => (await import("./sagemaker/model.ts")).model,
  "aws:scheduler/schedule:Schedule": async () => (await import("./scheduler/schedule.ts")).schedule,
  "aws:scheduler/scheduleGroup:ScheduleGroup": async () =>
    (await import("./scheduler/schedule-group.ts")).scheduleGroup,
  "aws:sfn/stateMachine:StateMachine": async () =>
    (await import("./sfn/state-machine.ts")).stateMachine,
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": async () =>
    (await import("./ec2/security-group-rule.ts")).securityGroupEgressRule,
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": async () =>
    (await import("./ec2/security-group-rule.ts")).securityGroupIngressRule,
};

const functions: Readonly<Record<string, Load<FunctionType>>> = {
  "aws:ec2/getInstance:getInstance": async () =>
    (await import("../functions/get-instance.ts")).getInstance,
  "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": async () =>
    (await import("../functions/get-instance-type-offerings.ts")).getInstanceTypeOfferings,
  "aws:ec2/getInstances:getInstances": async () =>
    (await import("../functions/get-instances.ts")).getInstances,
  "aws:ec2/getSubnet:getSubnet": async () =>
    (await import("../functions/get-subnets.ts")).getSubnet,
  "aws:ec2/getAmiIds:getAmiIds": async () =>
    (await import("../functions/get-ami-ids.ts")).getAmiIds,
  "aws:ec2/getSubnets:getSubnets": async () =>
    (await import("../functions/get-subnets.ts")).getSubnets,
  "aws:ec2/getVpc:getVpc": async () => (await import("../functions/get-vpc.ts")).getVpc,
  "aws:index/getAvailabilityZones:getAvailabilityZones": async () =>
    (await import("../functions/get-availability-zones.ts")).getAvailabilityZones,
  "aws:index/getCallerIdentity:getCallerIdentity": async () =>
    (await import("../functions/get-caller-identity.ts")).getCallerIdentity,
  "aws:index/getRegion:getRegion": async () =>
    (await import("../functions/get-caller-identity.ts")).getRegion,
  "aws:ssm/getParameter:getParameter": async () =>
    (await import("../functions/get-parameter.ts")).getParameter,
};

/** Tokens of all resource types. */
export const resourceTokens: readonly string[] = Object.keys(resources);
/** Tokens of all functions. */
export const functionTokens: readonly string[] = Object.keys(functions);

function find<T>(
  table: Readonly<Record<string, Load<T>>>,
  token: string,
  kind: string,
): Promise<T> {
  const load = table[token];
  if (load !== undefined) return load();
  throw new OfflineError(
    `The offline AWS plugin has no ${kind} ${token}; it has ${Object.keys(table).join(", ")}.`,
    "Use the real AWS plugin with a real account, or add the type: docs/aws-plugin.md",
  );
}

/** The resource type with a token. @throws OfflineError naming those that there are */
export async function findResource(token: string): Promise<ResourceType> {
  return find(resources, token, "resource type");
}

/** The function with a token. @throws OfflineError naming those that there are */
export async function findFunction(token: string): Promise<FunctionType> {
  return find(functions, token, "function");
}
