import assert from "node:assert/strict";
import * as budgets from "@aws-sdk/client-budgets";
import * as ec2 from "@aws-sdk/client-ec2";
import * as iam from "@aws-sdk/client-iam";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import * as tagging from "@aws-sdk/client-resource-groups-tagging-api";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { startCloud, type ApiCall, type Cloud } from "../../../offline/cloud/cloud.ts";
import { dlami, settingsFor } from "./account.ts";

describe("what the cloud adds to moto", () => {
  let cloud: Cloud;
  let client: ec2.EC2Client;

  before(async () => {
    cloud = await startCloud({ tier: "none" });
    client = new ec2.EC2Client(settingsFor(cloud));
  });

  after(async () => {
    await cloud.stop();
  });

  afterEach(() => {
    cloud.clearFaults();
  });

  async function json(
    service: string,
    target: string,
    body: object,
  ): Promise<Record<string, unknown>> {
    const answer = await fetch(cloud.endpoint, {
      method: "POST",
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/${service}/aws4_request, Signature=b`,
        "x-amz-target": target,
        "content-type": "application/x-amz-json-1.1",
      },
      body: JSON.stringify(body),
    });
    return { status: answer.status, ...((await answer.json()) as object) };
  }

  it("has the image that the deep-learning parameter names", async () => {
    const { Images } = await client.send(
      new ec2.DescribeImagesCommand({ ImageIds: [await dlami(cloud)] }),
    );
    assert.match(
      Images![0]!.Name!,
      /^Deep Learning Base OSS Nvidia Driver GPU AMI \(Ubuntu 22\.04\)/,
    );
  });

  it("tells the vCPU quotas and prices of accelerated types", async () => {
    const quota = await json("servicequotas", "ServiceQuotasV20190624.GetServiceQuota", {
      ServiceCode: "ec2",
      QuotaCode: "L-DB2E81BA",
    });
    assert.equal((quota["Quota"] as { Value: number }).Value, 768);
    const price = await json("pricing", "AWSPriceListService.GetProducts", {
      ServiceCode: "AmazonEC2",
      Filters: [
        { Type: "TERM_MATCH", Field: "instanceType", Value: "g6.xlarge" },
        { Type: "TERM_MATCH", Field: "regionCode", Value: "us-east-1" },
      ],
    });
    const [product] = price["PriceList"] as string[];
    assert.match(product!, /"USD":"0\.8048"/);
  });

  it("takes accelerated endpoint types, and tells what is left of endpoints", async () => {
    const sm = new sagemaker.SageMakerClient(settingsFor(cloud));
    const ExecutionRoleArn = "arn:aws:iam::123456789012:role/serve";
    await sm.send(
      new sagemaker.CreateModelCommand({
        ModelName: "m",
        ExecutionRoleArn,
        PrimaryContainer: { Image: "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:1" },
      }),
    );
    for (const [index, InstanceType] of (["ml.g5.xlarge", "ml.p5.48xlarge"] as const).entries()) {
      await sm.send(
        new sagemaker.CreateEndpointConfigCommand({
          EndpointConfigName: `c${index}`,
          ProductionVariants: [
            { VariantName: "v", ModelName: "m", InstanceType, InitialInstanceCount: 1 },
          ],
        }),
      );
    }
    await sm.send(
      new sagemaker.CreateEndpointCommand({ EndpointName: "e", EndpointConfigName: "c0" }),
    );
    const tags = new tagging.ResourceGroupsTaggingAPIClient(settingsFor(cloud));
    await tags.send(new tagging.GetResourcesCommand({ TagFilters: [{ Key: "berth:stack" }] }));
    const kinds = (await cloud.leftovers()).map((each) => `${each.service} ${each.kind}`);
    assert.deepEqual(kinds.toSorted(), [
      "sagemaker endpoint",
      "sagemaker endpoint-config",
      "sagemaker endpoint-config",
      "sagemaker model",
    ]);
  });

  it("answers what it does not have with a refusal that nobody retries", async () => {
    const sm = new sagemaker.SageMakerClient({ ...settingsFor(cloud), maxAttempts: 3 });
    const before = cloud.calls().length;
    await assert.rejects(sm.send(new sagemaker.ListEdgePackagingJobsCommand({})), {
      name: "UnsupportedOperation",
    });
    await assert.rejects(client.send(new ec2.DescribeFpgaImagesCommand({})), {
      name: "UnsupportedOperation",
    });
    assert.equal(cloud.calls().length, before + 2);
  });

  it("refuses in the words of each service, when told to", async () => {
    cloud.setFault({ kind: "access-denied", service: "iam" });
    cloud.setFault({ kind: "throttle", operation: "DescribeVpcs", times: 1 });
    cloud.setFault({ kind: "slow", operation: "GetCallerIdentity", milliseconds: 300 });
    await assert.rejects(new iam.IAMClient(settingsFor(cloud)).send(new iam.ListRolesCommand({})), {
      name: "AccessDenied",
    });
    await assert.rejects(client.send(new ec2.DescribeVpcsCommand({})), {
      name: "RequestLimitExceeded",
    });
    await client.send(new ec2.DescribeVpcsCommand({}));
    const started = Date.now();
    const who = await new STSClient(settingsFor(cloud)).send(new GetCallerIdentityCommand({}));
    assert.equal(who.Account, "123456789012");
    assert.ok(Date.now() - started >= 300);
  });

  it("lets other processes read the log, move the clock and set faults", async () => {
    const control = `${cloud.endpoint}/_cloud`;
    const before = cloud.now().getTime();
    await fetch(`${control}/clock`, { method: "POST", body: '{"seconds": 60}' });
    assert.ok(cloud.now().getTime() - before >= 60_000);
    await fetch(`${control}/faults`, {
      method: "POST",
      body: '{"kind": "throttle", "operation": "DescribeKeyPairs"}',
    });
    await assert.rejects(client.send(new ec2.DescribeKeyPairsCommand({})));
    await fetch(`${control}/faults`, { method: "DELETE" });
    await client.send(new ec2.DescribeKeyPairsCommand({}));
    const calls = (await (await fetch(`${control}/calls?service=ec2`)).json()) as ApiCall[];
    assert.deepEqual(
      calls.slice(-2).map((call) => [call.operation, call.status, call.error]),
      [
        ["DescribeKeyPairs", 503, "RequestLimitExceeded"],
        ["DescribeKeyPairs", 200, undefined],
      ],
    );
  });

  it("spends a budget by what runs, tells people, and denies the deployer what its policy says", async () => {
    const account = settingsFor(cloud);
    const [roles, money] = [new iam.IAMClient(account), new budgets.BudgetsClient(account)];
    const trust = (Service: string) =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" }],
      });
    const [RoleName, denier] = ["deployer", "dev-budget-denier"];
    await roles.send(
      new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust("ec2.amazonaws.com") }),
    );
    const { Role } = await roles.send(
      new iam.CreateRoleCommand({
        RoleName: denier,
        AssumeRolePolicyDocument: trust("budgets.amazonaws.com"),
      }),
    );
    const PolicyDocument = (Effect: string, Action: string) =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect, Action, Resource: "*" }],
      });
    const { Policy } = await roles.send(
      new iam.CreatePolicyCommand({
        PolicyName: "nothing-more",
        PolicyDocument: PolicyDocument("Deny", "ec2:Run*"),
      }),
    );
    const AccountId = "123456789012";
    const arm = async (BudgetName: string, Threshold: number) => {
      const Budget = {
        ...{ BudgetName, BudgetType: "COST" as const, TimeUnit: "MONTHLY" as const },
        BudgetLimit: { Amount: "1", Unit: "USD" },
        FilterExpression: { Tags: { Key: "berth:stack", Values: ["spent"] } },
      };
      const Subscribers = [{ SubscriptionType: "EMAIL" as const, Address: "a@example.org" }];
      const Notification = {
        ...{ NotificationType: "ACTUAL" as const, ComparisonOperator: "GREATER_THAN" as const },
        Threshold,
      };
      const NotificationsWithSubscribers = [{ Notification, Subscribers }];
      await money.send(
        new budgets.CreateBudgetCommand({ AccountId, Budget, NotificationsWithSubscribers }),
      );
      const { ActionId } = await money.send(
        new budgets.CreateBudgetActionCommand({
          ...{ AccountId, BudgetName, NotificationType: "ACTUAL", ActionType: "APPLY_IAM_POLICY" },
          ActionThreshold: { ActionThresholdValue: 100, ActionThresholdType: "PERCENTAGE" },
          Definition: {
            IamActionDefinition: { PolicyArn: Policy?.Arn ?? "", Roles: [RoleName] },
          },
          ...{ ExecutionRoleArn: Role?.Arn ?? "", ApprovalModel: "AUTOMATIC", Subscribers },
        }),
      );
      return async () => {
        const asked = { AccountId, BudgetName, ActionId };
        const { Action } = await money.send(new budgets.DescribeBudgetActionCommand(asked));
        return Action?.Status;
      };
    };
    const refused = await arm("refused", 100);
    const Tags = [{ Key: "berth:stack", Value: "spent" }];
    const launch = {
      ...{ ImageId: await dlami(cloud), InstanceType: "g6.xlarge" as const },
      ...{ MinCount: 1, MaxCount: 1 },
      TagSpecifications: [{ ResourceType: "instance" as const, Tags }],
    };
    await client.send(new ec2.RunInstancesCommand(launch));
    await cloud.advanceClock(1.5 * 3600);
    assert.equal(await refused(), "EXECUTION_FAILURE", "its role may attach nothing");
    await roles.send(
      new iam.PutRolePolicyCommand({
        ...{ RoleName: denier, PolicyName: "deny" },
        PolicyDocument: PolicyDocument("Allow", "iam:AttachRolePolicy"),
      }),
    );
    const status = await arm("dev-budget", 50);
    const { Credentials } = await new STSClient(account).send(
      new AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${AccountId}:role/deployer`,
        RoleSessionName: "ci",
      }),
    );
    const { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "" } =
      Credentials ?? {};
    const deployer = new ec2.EC2Client({
      ...account,
      credentials: { accessKeyId, secretAccessKey },
    });
    const { Instances } = await deployer.send(new ec2.RunInstancesCommand(launch));
    await cloud.advanceClock(60);
    assert.equal(await status(), "EXECUTION_SUCCESS");
    assert.deepEqual(
      cloud.budgetAlerts().map(({ budget, to }) => [budget, to]),
      [
        ["refused", "a@example.org"],
        ["dev-budget", "a@example.org"],
      ],
    );
    const { Budget } = await money.send(
      new budgets.DescribeBudgetCommand({ AccountId, BudgetName: "dev-budget" }),
    );
    assert.match(Budget?.CalculatedSpend?.ActualSpend?.Amount ?? "", /^1\.2\d+$/);
    await assert.rejects(deployer.send(new ec2.RunInstancesCommand(launch)), (error: Error) => {
      assert.equal(error.name, "UnauthorizedOperation");
      assert.match(
        error.message,
        /assumed-role\/deployer\/ci .*ec2:RunInstances with an explicit deny/,
      );
      return true;
    });
    await deployer.send(
      new ec2.TerminateInstancesCommand({ InstanceIds: [Instances![0]!.InstanceId!] }),
    );
    await client.send(new ec2.RunInstancesCommand(launch));
  });
});
