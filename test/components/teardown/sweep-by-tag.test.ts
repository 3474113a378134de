import assert from "node:assert/strict";
import { sweepPolicy } from "../../../components/teardown/sweep-by-tag.ts";

const owner = { stack: "dev", owner: "alice", runId: "0123456789ab" };

describe("sweepPolicy", () => {
  it("ends only what carries the deployment's tags and is not protected", () => {
    const { Statement } = JSON.parse(sweepPolicy(owner)) as {
      Statement: { Action: string[] | string; Condition?: { StringEquals: object } }[];
    };
    const [look, ...changes] = Statement;
    const looks = [look!.Action].flat();
    assert.ok(
      looks.every((action) => /^(ec2:Describe[A-Z]|tag:Get)/.test(action)),
      looks.join(),
    );
    for (const { Condition } of changes) {
      assert.deepEqual(Condition?.StringEquals, {
        "aws:ResourceTag/berth:stack": "dev",
        "aws:ResourceTag/berth:owner": "alice",
        "aws:ResourceTag/berth:run-id": "0123456789ab",
        "aws:ResourceTag/berth:protect": "false",
      });
    }
    const ends = changes.map(({ Action }) => Action).flat();
    assert.ok(ends.includes("ec2:TerminateInstances") && ends.includes("sagemaker:DeleteEndpoint"));
  });
});
