import assert from "node:assert/strict";
import {
  deleteEndpoint,
  deleteEndpointPolicy,
} from "../../../components/teardown/delete-endpoint.ts";

interface Machine {
  readonly StartAt: string;
  readonly States: Record<
    string,
    { Next?: string; Default?: string; Choices?: { Next: string }[]; Retry?: unknown[] }
  >;
}

describe("deleteEndpoint", () => {
  const { StartAt, States } = JSON.parse(deleteEndpoint("dev-0123456789ab")) as Machine;

  it("leads from its start to every state, and to no other", () => {
    const reached = new Set<string>();
    const visit = (name: string): void => {
      if (reached.has(name)) return;
      reached.add(name);
      const { Next, Default, Choices = [] } = States[name]!;
      for (const next of [Next, Default, ...Choices.map((choice) => choice.Next)]) {
        if (next !== undefined) visit(next);
      }
    };
    visit(StartAt);
    assert.deepEqual([...reached].toSorted(), Object.keys(States).toSorted());
  });

  it("looks again after it has deleted, and tries again what is refused", () => {
    assert.equal(States["EndEndpoint"]?.Next, "Settle");
    assert.equal(States["Settle"]?.Next, "FindEndpoint");
    assert.ok((States["EndEndpoint"].Retry ?? []).length > 0);
  });
});

describe("deleteEndpointPolicy", () => {
  it("may not delete it while it is protected", () => {
    const { Statement } = JSON.parse(deleteEndpointPolicy("dev-0123456789ab")) as {
      Statement: { Action: string; Condition?: unknown }[];
    };
    const deleting = Statement.find(({ Action }) => Action === "sagemaker:DeleteEndpoint");
    assert.deepEqual(deleting?.Condition, {
      StringEquals: { "aws:ResourceTag/berth:protect": "false" },
    });
  });

  it("may delete that one endpoint and no other", () => {
    const { Statement } = JSON.parse(deleteEndpointPolicy("dev-0123456789ab")) as {
      Statement: { Action: string; Resource: string }[];
    };
    const deleting = Statement.filter(({ Action }) => Action === "sagemaker:DeleteEndpoint");
    assert.deepEqual(
      deleting.map(({ Resource }) => Resource),
      ["arn:aws:sagemaker:*:*:endpoint/dev-0123456789ab"],
    );
    assert.ok(Statement.every(({ Action }) => !Action.includes("*")));
  });
});
