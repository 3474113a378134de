import * as ec2 from "@aws-sdk/client-ec2";
import { CloudWatchClient, DeleteAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, DeleteLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import { BudgetsClient, DeleteBudgetCommand } from "@aws-sdk/client-budgets";
import * as iam from "@aws-sdk/client-iam";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import { DeleteScheduleGroupCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { DeleteStateMachineCommand, SFNClient } from "@aws-sdk/client-sfn";
import type { ClientSettings } from "./account-scope.ts";
import { accountNumber } from "./receipt/receipt-budgets.ts";

/** Removes one thing; a thing that is gone already is an error of AWS's, and counts as done. */
export type Remover = (settings: ClientSettings, id: string) => Promise<unknown>;

interface Disposable {
  destroy(): void;
}

async function using<Client extends Disposable>(
  client: Client,
  work: (client: Client) => Promise<unknown>,
): Promise<unknown> {
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

function inEc2(work: (client: ec2.EC2Client, id: string) => Promise<unknown>): Remover {
  return (settings, id) => using(new ec2.EC2Client(settings), (client) => work(client, id));
}

function inIam(work: (client: iam.IAMClient, id: string) => Promise<unknown>): Remover {
  return (settings, id) => using(new iam.IAMClient(settings), (client) => work(client, id));
}

function inSageMaker(
  work: (client: sagemaker.SageMakerClient, name: string) => Promise<unknown>,
): Remover {
  return (settings, arn) =>
    using(new sagemaker.SageMakerClient(settings), (client) =>
      work(client, arn.slice(arn.lastIndexOf("/") + 1)),
    );
}

async function removeRouteTable(client: ec2.EC2Client, RouteTableId: string): Promise<void> {
  const found = await client.send(
    new ec2.DescribeRouteTablesCommand({ RouteTableIds: [RouteTableId] }),
  );
  for (const { Main, RouteTableAssociationId } of found.RouteTables?.[0]?.Associations ?? []) {
    if (Main === true || RouteTableAssociationId === undefined) continue;
    await client.send(
      new ec2.DisassociateRouteTableCommand({ AssociationId: RouteTableAssociationId }),
    );
  }
  await client.send(new ec2.DeleteRouteTableCommand({ RouteTableId }));
}

async function removeGateway(client: ec2.EC2Client, InternetGatewayId: string): Promise<void> {
  const found = await client.send(
    new ec2.DescribeInternetGatewaysCommand({ InternetGatewayIds: [InternetGatewayId] }),
  );
  for (const { VpcId } of found.InternetGateways?.[0]?.Attachments ?? []) {
    await client.send(new ec2.DetachInternetGatewayCommand({ InternetGatewayId, VpcId }));
  }
  await client.send(new ec2.DeleteInternetGatewayCommand({ InternetGatewayId }));
}

async function removeRole(client: iam.IAMClient, RoleName: string): Promise<void> {
  const inline = await client.send(new iam.ListRolePoliciesCommand({ RoleName }));
  for (const PolicyName of inline.PolicyNames ?? []) {
    await client.send(new iam.DeleteRolePolicyCommand({ RoleName, PolicyName }));
  }
  const attached = await client.send(new iam.ListAttachedRolePoliciesCommand({ RoleName }));
  for (const { PolicyArn } of attached.AttachedPolicies ?? []) {
    await client.send(new iam.DetachRolePolicyCommand({ RoleName, PolicyArn }));
  }
  await client.send(new iam.DeleteRoleCommand({ RoleName }));
}

async function removeProfile(client: iam.IAMClient, InstanceProfileName: string): Promise<void> {
  const found = await client.send(new iam.GetInstanceProfileCommand({ InstanceProfileName }));
  for (const { RoleName } of found.InstanceProfile?.Roles ?? []) {
    await client.send(
      new iam.RemoveRoleFromInstanceProfileCommand({ InstanceProfileName, RoleName }),
    );
  }
  await client.send(new iam.DeleteInstanceProfileCommand({ InstanceProfileName }));
}

/**
 * How each kind is removed, in the order in which it can be: what costs first, then what stands in the way of what. Buckets
 * are not among them: what somebody put there is not berth's to delete.
 */
export const removers: readonly (readonly [kind: string, remove: Remover])[] = [
  [
    "ec2 spot-request",
    inEc2((client, id) =>
      client.send(new ec2.CancelSpotInstanceRequestsCommand({ SpotInstanceRequestIds: [id] })),
    ),
  ],
  [
    "ec2 fleet",
    inEc2((client, id) =>
      client.send(new ec2.DeleteFleetsCommand({ FleetIds: [id], TerminateInstances: true })),
    ),
  ],
  [
    "ec2 instance",
    inEc2((client, id) => client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id] }))),
  ],
  [
    "sagemaker training-job",
    inSageMaker((client, TrainingJobName) =>
      client.send(new sagemaker.StopTrainingJobCommand({ TrainingJobName })),
    ),
  ],
  [
    // Before its endpoint, which would leave it behind.
    "sagemaker inference-component",
    inSageMaker((client, InferenceComponentName) =>
      client.send(new sagemaker.DeleteInferenceComponentCommand({ InferenceComponentName })),
    ),
  ],
  [
    "sagemaker endpoint",
    inSageMaker((client, EndpointName) =>
      client.send(new sagemaker.DeleteEndpointCommand({ EndpointName })),
    ),
  ],
  [
    // It is deleted once it has stopped, in a later round.
    "sagemaker notebook-instance",
    inSageMaker(async (client, NotebookInstanceName) => {
      const named = { NotebookInstanceName };
      const found = await client.send(new sagemaker.DescribeNotebookInstanceCommand(named));
      return found.NotebookInstanceStatus === "InService"
        ? client.send(new sagemaker.StopNotebookInstanceCommand(named))
        : client.send(new sagemaker.DeleteNotebookInstanceCommand(named));
    }),
  ],
  [
    "sagemaker notebook-instance-lifecycle-config",
    inSageMaker((client, NotebookInstanceLifecycleConfigName) =>
      client.send(
        new sagemaker.DeleteNotebookInstanceLifecycleConfigCommand({
          NotebookInstanceLifecycleConfigName,
        }),
      ),
    ),
  ],
  [
    "sagemaker endpoint-config",
    inSageMaker((client, EndpointConfigName) =>
      client.send(new sagemaker.DeleteEndpointConfigCommand({ EndpointConfigName })),
    ),
  ],
  [
    "sagemaker model",
    inSageMaker((client, ModelName) =>
      client.send(new sagemaker.DeleteModelCommand({ ModelName })),
    ),
  ],
  [
    "ec2 volume",
    inEc2((client, VolumeId) => client.send(new ec2.DeleteVolumeCommand({ VolumeId }))),
  ],
  [
    "ec2 snapshot",
    inEc2((client, SnapshotId) => client.send(new ec2.DeleteSnapshotCommand({ SnapshotId }))),
  ],
  [
    "ec2 address",
    inEc2((client, AllocationId) => client.send(new ec2.ReleaseAddressCommand({ AllocationId }))),
  ],
  [
    "ec2 launch-template",
    inEc2((client, LaunchTemplateId) =>
      client.send(new ec2.DeleteLaunchTemplateCommand({ LaunchTemplateId })),
    ),
  ],
  [
    "ec2 key-pair",
    inEc2((client, KeyName) => client.send(new ec2.DeleteKeyPairCommand({ KeyName }))),
  ],
  [
    "ec2 placement-group",
    inEc2((client, GroupName) => client.send(new ec2.DeletePlacementGroupCommand({ GroupName }))),
  ],
  [
    "ec2 vpc-endpoint",
    inEc2((client, id) => client.send(new ec2.DeleteVpcEndpointsCommand({ VpcEndpointIds: [id] }))),
  ],
  [
    "ec2 network-interface",
    inEc2((client, NetworkInterfaceId) =>
      client.send(new ec2.DeleteNetworkInterfaceCommand({ NetworkInterfaceId })),
    ),
  ],
  [
    "ec2 security-group",
    inEc2((client, GroupId) => client.send(new ec2.DeleteSecurityGroupCommand({ GroupId }))),
  ],
  ["ec2 route-table", inEc2(removeRouteTable)],
  [
    "ec2 subnet",
    inEc2((client, SubnetId) => client.send(new ec2.DeleteSubnetCommand({ SubnetId }))),
  ],
  ["ec2 internet-gateway", inEc2(removeGateway)],
  ["ec2 vpc", inEc2((client, VpcId) => client.send(new ec2.DeleteVpcCommand({ VpcId })))],
  ["iam instance-profile", inIam(removeProfile)],
  [
    "scheduler schedule-group",
    (settings, Name) =>
      using(new SchedulerClient(settings), (client) =>
        client.send(new DeleteScheduleGroupCommand({ Name })),
      ),
  ],
  [
    "states stateMachine",
    (settings, stateMachineArn) =>
      using(new SFNClient(settings), (client) =>
        client.send(new DeleteStateMachineCommand({ stateMachineArn })),
      ),
  ],
  [
    "cloudwatch alarm",
    (settings, arn) =>
      using(new CloudWatchClient(settings), (client) =>
        client.send(new DeleteAlarmsCommand({ AlarmNames: [arn.replace(/^.*:alarm:/, "")] })),
      ),
  ],
  [
    // With it go its notifications and actions.
    "budgets budget",
    (settings, BudgetName) =>
      using(new BudgetsClient(settings), async (client) =>
        client.send(
          new DeleteBudgetCommand({ AccountId: await accountNumber(settings), BudgetName }),
        ),
      ),
  ],
  ["iam role", inIam(removeRole)],
  [
    "logs log-group",
    (settings, arn) =>
      using(new CloudWatchLogsClient(settings), (client) =>
        client.send(
          new DeleteLogGroupCommand({ logGroupName: arn.replace(/^.*:log-group:|:\*$/g, "") }),
        ),
      ),
  ],
];
