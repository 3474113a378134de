import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { makeStackPlan } from "../../stacks/make-stack-plan.ts";
import { deployGpuHost } from "../../stacks/gpu-host-stack.ts";
import { deployEndpoint } from "../../stacks/sagemaker-stack.ts";
import { parseSettings } from "../../stacks/settings.ts";
import { goodConfig } from "../support/builders.ts";
import { underMocks } from "../support/mocks.ts";

const arn = "arn:aws:iam::123456789012:policy/berth-boundary";

interface Statement {
  readonly Action: string | readonly string[];
}

function actionsOf({ Action }: Statement): readonly string[] {
  return typeof Action === "string" ? [Action] : Action;
}

/** The policy below a heading of docs/iam-policy.md. */
function documented(heading: string): readonly Statement[] {
  const page = readFileSync(new URL("../../docs/iam-policy.md", import.meta.url), "utf8");
  const below = page.split(`\n## ${heading}\n`)[1] ?? "";
  const policy = /```json\n([^]*?)\n```/.exec(below)?.[1] ?? "";
  return (JSON.parse(policy) as { Statement: readonly Statement[] }).Statement;
}

async function deployment(change: Readonly<Record<string, unknown>>) {
  const config = { ...goodConfig, "berth:permissionsBoundaryArn": arn, ...change };
  const settings = parseSettings({ stack: "dev", config });
  const plan = makeStackPlan(settings);
  const answers = {
    "aws:index/getCallerIdentity:getCallerIdentity": () => ({ accountId: "123456789012" }),
  };
  return underMocks(
    () => {
      if (settings.target === "ec2") deployGpuHost(settings, plan);
      else if (settings.target === "sagemaker") deployEndpoint(settings, plan as never);
    },
    { answers },
  );
}

const endpoint = { "berth:target": "sagemaker" };

describe("berth:permissionsBoundaryArn", () => {
  for (const [what, change] of [
    [
      "a host",
      {
        "berth:sshThrough": "ssm",
        "berth:checkpointsPrefix": "training/",
        "berth:sweepRegions": "us-west-2",
      },
    ],
    [
      "an endpoint with a notebook and hours",
      {
        ...endpoint,
        "berth:notebookType": "ml.t3.medium",
        "berth:endpointHours": "Mon-Fri 08:00-18:00 UTC",
        "berth:endpointMode": "realtime",
        "berth:captureDataPercent": 1,
      },
    ],
    ["an asynchronous endpoint", { ...endpoint, "berth:endpointMode": "async" }],
  ] as const) {
    it(`bounds every role of ${what}, and the documented boundary has all that they do`, async () => {
      const { resources } = await deployment(change);
      const roles = resources.filter(({ type }) => type === "aws:iam/role:Role");
      assert.ok(roles.length > 2);
      for (const { name, inputs, replaceOnChanges } of roles) {
        assert.equal(inputs["permissionsBoundary"], arn, name);
        // Nobody may change who takes a role that is there: docs/iam-policy.md.
        assert.deepEqual(replaceOnChanges, ["assumeRolePolicy"], name);
      }

      const bounds = documented("A boundary of all roles")
        .flatMap(actionsOf)
        .map((action) => new RegExp(`^${action.replaceAll("*", ".*")}$`));
      const policies = resources.filter(({ type }) => type === "aws:iam/rolePolicy:RolePolicy");
      assert.ok(policies.length > 2);
      for (const { name, inputs } of policies) {
        const { Statement } = JSON.parse(String(inputs["policy"])) as { Statement: Statement[] };
        const outside = Statement.flatMap(actionsOf).filter(
          (action) => !bounds.some((bound) => bound.test(action)),
        );
        assert.deepEqual(outside, [], name);
      }
    });
  }

  it("lets no role touch IAM, or take another", () => {
    for (const action of documented("A boundary of all roles").flatMap(actionsOf)) {
      assert.doesNotMatch(action, /^(\*|iam:|sts:|organizations:)/);
    }
  });
});
