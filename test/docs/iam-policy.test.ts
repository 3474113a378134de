import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

interface Statement {
  readonly Sid?: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const page = readFileSync(new URL("../../docs/iam-policy.md", import.meta.url), "utf8");

/** Below a heading up to the next, or in all of the page. */
function statements(heading?: string): readonly Statement[] {
  const [, below = ""] = heading === undefined ? [, page] : page.split(`\n## ${heading}\n`);
  const part = heading === undefined ? below : (below.split("\n## ")[0] ?? "");
  return [...part.matchAll(/```json\n([^]*?)\n```/g)].flatMap(([, text = ""]) => {
    const said = JSON.parse(text) as Statement | Statement[] | { Statement: Statement[] };
    if (Array.isArray(said)) return said;
    return "Statement" in said ? said.Statement : [said];
  });
}

function allowing(action: string, heading?: string): readonly Statement[] {
  return statements(heading).filter(({ Action }) => [Action].flat().includes(action));
}

function keysOf({ Condition = {} }: Statement): readonly string[] {
  return Object.values(Condition).flatMap((tests) => Object.keys(tests));
}

describe("The policies of docs/iam-policy.md", () => {
  it("give nobody the right to call something of the account their own", () => {
    const tagging = allowing("ec2:CreateTags");
    assert.ok(tagging.length > 2);
    for (const statement of tagging) {
      const held = keysOf(statement).some((key) =>
        /^(ec2:CreateAction|aws:ResourceTag\/)/.test(key),
      );
      assert.ok(held, statement.Sid);
    }
  });

  it("let no role remove anything from S3 but checkpoints", () => {
    const removing = allowing("s3:DeleteObject", "A boundary of all roles");
    assert.ok(removing.length > 0);
    for (const { Resource } of removing) {
      for (const arn of [Resource].flat()) assert.match(arn, /\/checkpoint-\*$/);
    }
  });

  it("let nobody change who takes a role that is there, which no boundary could hold", () => {
    assert.deepEqual(allowing("iam:UpdateAssumeRolePolicy"), []);
  });

  it("bound whoever may write into a role by its boundary", () => {
    const writing = allowing("iam:PutRolePolicy", "A boundary of all roles");
    assert.deepEqual(writing.map(keysOf), [["iam:PermissionsBoundary"]]);
  });
});
