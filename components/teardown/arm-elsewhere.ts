import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { trustPolicy } from "../trust-policy.ts";
import { machineTrust, startPolicy } from "./scheduled-machine.ts";
import { sweepPolicy } from "./sweep-by-tag.ts";
import { sweepElsewhere } from "./sweep-elsewhere.ts";
import { sweepElsewhereExpression, sweepInput, type sweepBounds } from "./teardown-times.ts";
import type { HostOwner } from "./terminate-by-tag.ts";

/** Which run is swept in which regions, and when. */
export interface ElsewhereArgs {
  readonly run: pulumi.Output<HostOwner>;
  readonly bounds: pulumi.Output<ReturnType<typeof sweepBounds>>;
  readonly sweepRegions: readonly string[];
  readonly tags: TagInputs;
}

/**
 * A sweep of its own in each further region, since Step Functions and EventBridge Scheduler call AWS in their own region only
 * (docs/adr/0007-a-sweep-in-each-region.md). Roles are the account's, so that all regions share two; none is shared with the
 * other layers.
 */
export function armElsewhere(name: string, args: ElsewhereArgs, parent: pulumi.Resource): void {
  const { run, sweepRegions, tags } = args;
  const groups = sweepRegions.map((region) => {
    const called = `${name}-${region}`;
    return new aws.scheduler.ScheduleGroup(
      called,
      { region, tags: namedTags(tags, called) },
      { parent },
    );
  });
  const sweeping = sweepingRole(name, args, groups, parent);
  const machines = sweepRegions.map((region) => {
    const called = `${name}-${region}-sweeper`;
    return new aws.sfn.StateMachine(
      called,
      {
        region,
        roleArn: sweeping.role.arn,
        definition: run.apply(sweepElsewhere),
        tags: namedTags(tags, called),
      },
      { parent, dependsOn: [sweeping.policy] },
    );
  });
  const starting = startingRole(name, { groups, machines, tags }, parent);
  for (const [index, region] of sweepRegions.entries()) {
    const [group, machine] = [groups[index], machines[index]];
    if (group === undefined || machine === undefined) continue;
    schedule(name, { ...args, region, group, machine, starting }, parent);
  }
}

interface Role {
  readonly role: aws.iam.Role;
  readonly policy: aws.iam.RolePolicy;
}

function sweepingRole(
  name: string,
  { run, tags }: ElsewhereArgs,
  groups: readonly aws.scheduler.ScheduleGroup[],
  parent: pulumi.Resource,
): Role {
  const called = `${name}-elsewhere-role`;
  const role = new aws.iam.Role(
    called,
    {
      description: "berth: sweeps what is left of one stack in other regions",
      assumeRolePolicy: pulumi
        .all(groups.map(({ arn }) => arn))
        .apply(([arn = ""]) => machineTrust(name, arn)),
      tags: namedTags(tags, called),
    },
    { parent },
  );
  const policy = new aws.iam.RolePolicy(
    `${name}-elsewhere-sweep`,
    { role: role.name, policy: run.apply(sweepPolicy) },
    { parent },
  );
  return { role, policy };
}

interface Started {
  readonly groups: readonly aws.scheduler.ScheduleGroup[];
  readonly machines: readonly aws.sfn.StateMachine[];
  readonly tags: TagInputs;
}

function startingRole(
  name: string,
  { groups, machines, tags }: Started,
  parent: pulumi.Resource,
): Role {
  const called = `${name}-elsewhere-start`;
  const role = new aws.iam.Role(
    called,
    {
      description: "berth: starts the sweeps of one stack in other regions",
      assumeRolePolicy: pulumi
        .all(groups.map(({ arn }) => arn))
        .apply((arns) => trustPolicy("scheduler.amazonaws.com", arns)),
      tags: namedTags(tags, called),
    },
    { parent },
  );
  const policy = new aws.iam.RolePolicy(
    `${name}-elsewhere-fire`,
    { role: role.name, policy: pulumi.all(machines.map(({ arn }) => arn)).apply(startPolicy) },
    { parent },
  );
  return { role, policy };
}

interface RegionArgs extends ElsewhereArgs {
  readonly region: string;
  readonly group: aws.scheduler.ScheduleGroup;
  readonly machine: aws.sfn.StateMachine;
  readonly starting: Role;
}

function schedule(name: string, args: RegionArgs, parent: pulumi.Resource): void {
  const { region, group, machine, starting, bounds } = args;
  new aws.scheduler.Schedule(
    `${name}-${region}-after-deadline`,
    {
      region,
      // With the stack's and the region's in it, a made name would pass 64 characters; its group is no other's.
      name: "after-deadline",
      description: "berth: sweeps what is left of one stack in another region",
      groupName: group.name,
      flexibleTimeWindow: { mode: "OFF" },
      scheduleExpression: sweepElsewhereExpression,
      startDate: bounds.startDate,
      endDate: bounds.endDate,
      scheduleExpressionTimezone: "UTC",
      target: {
        arn: machine.arn,
        roleArn: starting.role.arn,
        input: sweepInput,
        retryPolicy: { maximumRetryAttempts: 10, maximumEventAgeInSeconds: 3600 },
      },
    },
    { parent, dependsOn: [starting.policy] },
  );
}
