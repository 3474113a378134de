import assert from "node:assert/strict";
import {
  deleteEndpoint,
  deleteEndpointPolicy,
} from "../../../components/teardown/delete-endpoint.ts";

interface Machine {
  readonly StartAt: string;
  readonly States: Record<
    string,
    {
      Next?: string;
      Default?: string;
      Choices?: { Next: string }[];
      Retry?: unknown[];
      Catch?: unknown[];
    }
  >;
}

const one = { endpointName: "dev-0123456789ab", components: [] };

for (const hasComponent of [false, true]) {
  describe(`deleteEndpoint, ${hasComponent ? "with" : "without"} a component`, () => {
    const { StartAt, States } = JSON.parse(
      deleteEndpoint({ ...one, components: hasComponent ? [one.endpointName] : [] }),
    ) as Machine;

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
      assert.equal(States["Settle"]?.Next, StartAt);
      assert.equal(StartAt, hasComponent ? "EndComponent" : "FindEndpoint");
      assert.ok((States["EndEndpoint"].Retry ?? States["EndEndpoint"].Catch ?? []).length > 0);
    });
  });
}

describe("deleteEndpointPolicy", () => {
  it("may not delete it while it is protected", () => {
    const { Statement } = JSON.parse(deleteEndpointPolicy(one)) as {
      Statement: { Action: string; Condition?: unknown }[];
    };
    const deleting = Statement.find(({ Action }) => Action === "sagemaker:DeleteEndpoint");
    assert.deepEqual(deleting?.Condition, {
      StringEquals: { "aws:ResourceTag/berth:protect": "false" },
    });
  });

  it("may delete that one endpoint, its component where there is one, and no other", () => {
    const withOne = { ...one, components: ["dev-0123456789ab"] };
    const { Statement } = JSON.parse(deleteEndpointPolicy(withOne)) as {
      Statement: { Action: string; Resource: string }[];
    };
    const deleting = Statement.filter(({ Action }) => Action.includes(":Delete"));
    assert.deepEqual(
      deleting.map(({ Resource }) => Resource),
      [
        "arn:aws:sagemaker:*:*:inference-component/dev-0123456789ab",
        "arn:aws:sagemaker:*:*:endpoint/dev-0123456789ab",
      ],
    );
    assert.ok(Statement.every(({ Action }) => !Action.includes("*")));
  });
});
