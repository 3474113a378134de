import { BudgetsClient, DescribeBudgetsCommand } from "@aws-sdk/client-budgets";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import * as iam from "@aws-sdk/client-iam";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import * as scheduler from "@aws-sdk/client-scheduler";
import { ListStateMachinesCommand, SFNClient } from "@aws-sdk/client-sfn";
import type { Question } from "./question.ts";

/** What the services besides EC2 are asked. */
export const otherQuestions: readonly Question[] = [
  {
    service: "iam",
    kind: "role",
    global: true,
    ask: async (settings) =>
      (await new iam.IAMClient(settings).send(new iam.ListRolesCommand())).Roles?.map(
        (each) => each.RoleName,
      ) ?? [],
  },
  {
    service: "iam",
    kind: "instance-profile",
    global: true,
    ask: async (settings) =>
      (
        await new iam.IAMClient(settings).send(new iam.ListInstanceProfilesCommand())
      ).InstanceProfiles?.map((each) => each.InstanceProfileName) ?? [],
  },
  {
    service: "iam",
    kind: "policy",
    global: true,
    ask: async (settings) =>
      (
        await new iam.IAMClient(settings).send(new iam.ListPoliciesCommand({ Scope: "Local" }))
      ).Policies?.map((each) => each.Arn) ?? [],
  },
  {
    service: "s3",
    kind: "bucket",
    global: true,
    ask: async (settings) =>
      (await new S3Client(settings).send(new ListBucketsCommand())).Buckets?.map(
        (each) => each.Name,
      ) ?? [],
  },
  {
    service: "scheduler",
    kind: "schedule-group",
    ask: async (settings) =>
      (
        (
          await new scheduler.SchedulerClient(settings).send(
            new scheduler.ListScheduleGroupsCommand(),
          )
        ).ScheduleGroups ?? []
      )
        .map((each) => each.Name)
        .filter((name) => name !== "default"),
  },
  {
    service: "scheduler",
    kind: "schedule",
    ask: async (settings) =>
      (
        await new scheduler.SchedulerClient(settings).send(new scheduler.ListSchedulesCommand())
      ).Schedules?.map((each) => `${each.GroupName ?? ""}/${each.Name ?? ""}`) ?? [],
  },
  {
    service: "stepfunctions",
    kind: "state-machine",
    ask: async (settings) =>
      (await new SFNClient(settings).send(new ListStateMachinesCommand())).stateMachines?.map(
        (each) => each.stateMachineArn,
      ) ?? [],
  },
  {
    service: "logs",
    kind: "log-group",
    ask: async (settings) =>
      (
        await new CloudWatchLogsClient(settings).send(new DescribeLogGroupsCommand())
      ).logGroups?.map((each) => each.logGroupName) ?? [],
  },
  {
    service: "budgets",
    kind: "budget",
    global: true,
    ask: async (settings) =>
      (
        await new BudgetsClient(settings).send(
          new DescribeBudgetsCommand({ AccountId: "123456789012" }),
        )
      ).Budgets?.map((each) => each.BudgetName) ?? [],
  },
  {
    service: "sagemaker",
    kind: "model",
    ask: async (settings) =>
      (
        await new sagemaker.SageMakerClient(settings).send(new sagemaker.ListModelsCommand())
      ).Models?.map((each) => each.ModelName) ?? [],
  },
  {
    service: "sagemaker",
    kind: "endpoint-config",
    ask: async (settings) =>
      (
        await new sagemaker.SageMakerClient(settings).send(
          new sagemaker.ListEndpointConfigsCommand(),
        )
      ).EndpointConfigs?.map((each) => each.EndpointConfigName) ?? [],
  },
  {
    service: "sagemaker",
    kind: "endpoint",
    ask: async (settings) =>
      (
        await new sagemaker.SageMakerClient(settings).send(new sagemaker.ListEndpointsCommand())
      ).Endpoints?.map((each) => each.EndpointName) ?? [],
  },
  {
    service: "sagemaker",
    kind: "training-job",
    // Those that are over stay, and cost nothing; AWS has no fresh account again either.
    ask: async (settings) =>
      (
        await new sagemaker.SageMakerClient(settings).send(
          new sagemaker.ListTrainingJobsCommand({ StatusEquals: "InProgress" }),
        )
      ).TrainingJobSummaries?.map((each) => each.TrainingJobName) ?? [],
  },
];
