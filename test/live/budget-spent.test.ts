import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as iam from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { settingsFor } from "../offline/cloud/account.ts";
import { CheckoutAccount, type Ended } from "./checkout-account.ts";

const stack = "local-spent";
const account = "123456789012";
const roleName = "deployer";
const policyArn = `arn:aws:iam::${account}:policy/nothing-more`;

/** The policy of docs/cost.md. */
const denial = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Deny",
      Action: [
        ...["ec2:CreateFleet", "ec2:RequestSpot*", "ec2:RunInstances", "ec2:StartInstances"],
        ...["sagemaker:CreateEndpoint", "sagemaker:CreateTrainingJob", "sagemaker:UpdateEndpoint*"],
      ],
      Resource: "*",
    },
  ],
};

describe("a stack whose month's budget is spent", function () {
  this.timeout(400_000);
  let there: CheckoutAccount;

  const berth = (...words: readonly string[]): Promise<Ended> =>
    there.berth(...words, "--env", stack);

  const inIam = () => new iam.IAMClient(settingsFor(there.cloud));

  before(async () => {
    there = await CheckoutAccount.open();
    const trust = { Effect: "Allow", Principal: { AWS: account }, Action: "sts:AssumeRole" };
    const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [trust] });
    await inIam().send(new iam.CreateRoleCommand({ RoleName: roleName, AssumeRolePolicyDocument }));
    await inIam().send(
      new iam.CreatePolicyCommand({
        PolicyName: "nothing-more",
        PolicyDocument: JSON.stringify(denial),
      }),
    );
    const { Credentials } = await new STSClient(settingsFor(there.cloud)).send(
      new AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${account}:role/${roleName}`,
        RoleSessionName: "ci",
      }),
    );
    await there.signIn({
      AWS_ACCESS_KEY_ID: Credentials?.AccessKeyId ?? "",
      AWS_SECRET_ACCESS_KEY: Credentials?.SecretAccessKey ?? "",
    });
    const given = ["target=sagemaker", "weightsBucket=walk-weights", "monthlyBudgetUsd=2"];
    const deny = [`budgetDenyRole=${roleName}`, `budgetDenyPolicyArn=${policyArn}`];
    await there.init(stack, ...given, ...deny);
  });
  after(() => there.close());

  it("tells the owner of each share, and attaches the denial when an extension has spent it", async () => {
    const up = await berth("up");
    assert.equal(up.code, 0, up.text);
    const extended = await berth("extend", "1h");
    assert.equal(extended.code, 0, extended.text);
    await there.cloud.advanceClock(2.5 * 3600);
    assert.ok(there.cloud.budgetAlerts().length > 0);
    assert.ok(there.cloud.budgetAlerts().every(({ to }) => to === "alice@example.org"));
    await there.cloud.advanceClock(0.4 * 3600);
    const { AttachedPolicies = [] } = await inIam().send(
      new iam.ListAttachedRolePoliciesCommand({ RoleName: roleName }),
    );
    assert.deepEqual(
      AttachedPolicies.map(({ PolicyArn }) => PolicyArn),
      [policyArn],
    );
  });

  it("goes down all the same, with its budget and the role that denied, and says what stays", async () => {
    const { code, text } = await berth("down", "--yes");
    assert.equal(code, 0, text);
    assert.match(text, /stays +.*nothing-more on the role deployer/);
    const { Roles = [] } = await inIam().send(new iam.ListRolesCommand({}));
    assert.deepEqual(
      Roles.map(({ RoleName }) => RoleName).filter((name) => name?.startsWith(stack)),
      [],
    );
  });

  it("does not come up again, and says how it would", async () => {
    // The program reads this machine's clock, which the account is three hours ahead of; and more budget takes no denial back.
    const file = join(there.root, "stacks", `Pulumi.${stack}.yaml`);
    const before = await readFile(file, "utf8");
    const line = /^( *)berth:monthlyBudgetUsd:.*$/m;
    assert.match(before, line);
    const more = '$1berth:monthlyBudgetUsd: "8"\n$1berth:leaseHours: "8"';
    await writeFile(file, before.replace(line, more));
    const { code, text } = await berth("up");
    assert.equal(code, 3, text);
    assert.match(text, /explicit deny/);
    assert.match(text, /detach-role-policy --role-name deployer --policy-arn \S+nothing-more/);
    assert.equal((await berth("down", "--yes")).code, 0);
  });
});
