import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { BudgetsClient, CreateBudgetCommand } from "@aws-sdk/client-budgets";
import * as ec2 from "@aws-sdk/client-ec2";
import * as iam from "@aws-sdk/client-iam";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import * as scheduler from "@aws-sdk/client-scheduler";
import { setTimeout as pause } from "node:timers/promises";
import { parse } from "yaml";
import { sweepPolicy } from "../../components/teardown/sweep-by-tag.ts";
import type { ApiCall } from "../../offline/cloud/call-log.ts";
import { settingsFor } from "../offline/cloud/account.ts";
import { freePort, needsSshd } from "../provider/support/sshd.ts";
import { actionsCalled, policyStatements } from "./called-actions.ts";
import { CheckoutAccount, type Ended } from "./checkout-account.ts";
import { lackingTags, walkAccount } from "./walk-account.ts";

const host = "local-last";
const endpoint = "local-last-endpoint";

/**
 * Of the auditor's rights, those for a real account's regions, spot, training jobs, components, `cost --compare` and buckets of
 * a stack's own.
 */
const calledElsewhere = [
  ...["ec2:DescribeRegions", "ec2:DescribeSpotPriceHistory", "sagemaker:ListTags"],
  ...["ce:GetCostAndUsage", "s3:GetBucketLocation", "s3:ListAllMyBuckets", "s3:ListBucket"],
  ...["sagemaker:DescribeInferenceComponent", "sagemaker:DescribeTrainingJob"],
  "sagemaker:ListInferenceComponents",
];

interface Workflow {
  readonly jobs: Readonly<
    Record<string, { readonly steps: readonly { readonly run?: string; readonly if?: string }[] }>
  >;
}

/** The layer that needs no part of the account: what a workflow runs every hour. */
describe("the workflow's commands past the deadline, where no other layer has worked", function () {
  this.timeout(600_000);
  let account: CheckoutAccount;
  const said: string[] = [];

  before(async function () {
    needsSshd(this);
    account = await CheckoutAccount.open();
  });
  after(() => account.close());
  beforeEach(() => {
    said.length = 0;
  });

  async function berth(...words: readonly string[]): Promise<Ended> {
    const ended = await account.berth(...words);
    said.push(ended.text);
    return ended;
  }

  async function bringUp(stack: string, ...settings: readonly string[]): Promise<void> {
    await account.init(stack, ...settings);
    assert.equal((await berth("up", "--env", stack)).code, 0, said.join("\n"));
  }

  /**
   * Takes the deadline's schedule away and refuses whatever the sweeps end, until well past the deadline. The host's own timer
   * reads this machine's clock, which never gets there.
   */
  async function outlive(stack: string): Promise<void> {
    const { cloud } = account;
    const schedules = new scheduler.SchedulerClient(settingsFor(cloud));
    const { Schedules = [] } = await schedules.send(new scheduler.ListSchedulesCommand({}));
    const named = Schedules.filter(
      ({ Name = "", GroupName = "" }) =>
        GroupName.startsWith(stack) && Name.includes("at-deadline"),
    );
    assert.equal(named.length, 1);
    const { Name, GroupName } = named[0]!;
    const found = await schedules.send(new scheduler.GetScheduleCommand({ Name, GroupName }));
    const [, deadline = ""] = /^at\((.*)\)$/.exec(found.ScheduleExpression ?? "") ?? [];
    await schedules.send(new scheduler.DeleteScheduleCommand({ Name, GroupName }));
    const ends = ["TerminateInstances", "DeleteEndpoint", "DeleteInferenceComponent"];
    for (const operation of [...ends, "StopNotebookInstance", "DeleteNotebookInstance"])
      cloud.setFault({ kind: "access-denied", operation });
    const before = cloud.calls().length;
    const swept = () => cloud.calls().slice(before);
    const isRefused = () =>
      swept().some(({ operation, error = "" }) => {
        return ends.includes(operation) && /AccessDenied|Unauthorized/.test(error);
      });
    await cloud.advanceClock((Date.parse(`${deadline}Z`) - cloud.now().getTime()) / 1000);
    // A sweep marks, and the next one ends; they take their time on this machine's clock.
    for (let minutes = 0; minutes < 60 && !isRefused(); minutes += 5) {
      await cloud.advanceClock(300);
      await pause(1000);
    }
    assert.ok(isRefused(), "no sweep was refused");
    const called = actionsCalled(swept());
    const sweeps = Schedules.filter(
      (each) => each.GroupName === GroupName && each.Name?.includes("after-deadline"),
    );
    for (const each of sweeps)
      await schedules.send(new scheduler.DeleteScheduleCommand({ Name: each.Name, GroupName }));
    await cloud.advanceClock(20 * 60);
    const policy = JSON.parse(sweepPolicy({ stack, owner: "", runId: "" })) as {
      Statement: readonly { readonly Action: string | readonly string[] }[];
    };
    const allowed = policy.Statement.flatMap(({ Action }) => Action);
    assert.deepEqual(
      called.filter((action) => !allowed.includes(action)),
      [],
    );
    cloud.clearFaults();
  }

  /** Runs every command of the workflow that `init --with-ci` writes. */
  async function runWorkflow(stack: string): Promise<void> {
    const wrote = await berth("init", "--env", stack, "--force", "--with-ci");
    const file = join(account.root, ".github", "workflows", `berth-teardown-${stack}.yml`);
    const { jobs } = parse(await readFile(file, "utf8")) as Workflow;
    const steps = Object.values(jobs).flatMap((job) => job.steps);
    const scripts = steps.flatMap(({ run }) => run ?? []);
    assert.equal(scripts.length, 2, wrote.text);
    for (const script of scripts) {
      const { code, text } = await account.step(script);
      said.push(`$ ${script}\n${text}`);
      assert.equal(code, 0, said.join("\n"));
    }
  }

  async function left(stack: string): Promise<readonly string[]> {
    const walked = await walkAccount(settingsFor(account.cloud), stack);
    const found = await account.cloud.leftovers();
    const others = found.filter(({ service }) => service !== "s3");
    return [...walked, ...others].map(({ kind, id }) => `${kind} ${id}`);
  }

  it("takes a host and all of its stack down, by its state", async () => {
    await bringUp(host, `serverPort=${await freePort()}`, "leaseHours=2");
    await outlive(host);
    const { Reservations = [] } = await new ec2.EC2Client(settingsFor(account.cloud)).send(
      new ec2.DescribeInstancesCommand({}),
    );
    assert.equal(Reservations[0]?.Instances?.[0]?.State?.Name, "running");
    await runWorkflow(host);
    assert.deepEqual(await left(host), [], said.join("\n"));
  });

  it("takes an endpoint down whose state is lost, its notebook, budget and the role that denies included", async () => {
    const inIam = new iam.IAMClient(settingsFor(account.cloud));
    const trust = { Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" };
    const document = JSON.stringify({ Version: "2012-10-17", Statement: [trust] });
    await inIam.send(
      new iam.CreateRoleCommand({ RoleName: "deployer", AssumeRolePolicyDocument: document }),
    );
    const serves = ["target=sagemaker", "weightsBucket=walk-weights"];
    const denies = [
      "budgetDenyRole=deployer",
      "budgetDenyPolicyArn=arn:aws:iam::aws:policy/AWSDenyAll",
    ];
    // The account's clock is two hours ahead of this machine's by now.
    const more = ["notebookType=ml.t3.medium", "monthlyBudgetUsd=500", "leaseHours=8"];
    await bringUp(endpoint, ...serves, ...denies, ...more);
    assert.deepEqual(await lackingTags(account.cloud, endpoint), []);

    const { cloud } = account;
    const before = cloud.calls().length;
    assert.equal((await berth("audit", "--env", endpoint, "--own")).code, 0, said.join("\n"));
    const audited = cloud.calls().slice(before);
    assert.equal((await berth("cost", "--env", endpoint)).code, 0, said.join("\n"));
    const [look, count] = await policyStatements("What an auditor may do");
    const notIn = (calls: readonly ApiCall[], allowed: readonly string[]) =>
      actionsCalled(calls).filter((action) => !allowed.includes(action));
    const both = [...look!.Action, ...count!.Action];
    assert.deepEqual(notIn(audited, look!.Action), []);
    assert.deepEqual(notIn(cloud.calls().slice(before), both), []);
    const called = actionsCalled(cloud.calls().slice(before));
    assert.deepEqual(
      both.filter((action) => !called.includes(action)),
      calledElsewhere,
    );

    await outlive(endpoint);
    const { Endpoints = [] } = await new sagemaker.SageMakerClient(settingsFor(account.cloud)).send(
      new sagemaker.ListEndpointsCommand({}),
    );
    assert.equal(Endpoints.length, 1);
    await rm(account.backend, { recursive: true, force: true });
    await runWorkflow(endpoint);
    const roles = await left(endpoint);
    assert.deepEqual(
      roles.filter((each) => !each.endsWith(" deployer")),
      [],
      said.join("\n"),
    );
  });

  it("removes a budget and the role that denies, which an up made before it was cut off", async () => {
    const settings = settingsFor(account.cloud);
    const tags = {
      ...{ "berth:stack": endpoint, "berth:owner": "alice@example.org" },
      ...{ "berth:run-id": "0123456789ab", "berth:protect": "false" },
    };
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    await new iam.IAMClient(settings).send(
      new iam.CreateRoleCommand({
        RoleName: `${endpoint}-budget-denier-1`,
        Description: "berth: attaches one policy to one role when a budget is spent",
        AssumeRolePolicyDocument: "{}",
        Tags,
      }),
    );
    await new BudgetsClient(settings).send(
      new CreateBudgetCommand({
        AccountId: "123456789012",
        Budget: {
          ...{ BudgetName: `${endpoint}-budget-month-1`, BudgetType: "COST", TimeUnit: "MONTHLY" },
          FilterExpression: { Tags: { Key: "berth:stack", Values: [endpoint] } },
          BudgetLimit: { Amount: "5", Unit: "USD" },
        },
        ResourceTags: Tags,
      }),
    );
    await account.cloud.advanceClock(2 * 3600);
    const { code, text } = await berth("audit", "--env", endpoint, "--own", "--fix", "--yes");
    assert.equal(code, 0, text);
    assert.match(text, /nothing but budget and role is left/);
    assert.deepEqual(
      (await walkAccount(settings, endpoint)).map(({ kind }) => kind),
      [],
      text,
    );
  });
});
