import assert from "node:assert/strict";
import { parse } from "yaml";
import { teardownWorkflow } from "../../scripts/ci-workflow.ts";

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly jobs: { readonly teardown: { readonly steps: readonly { readonly run?: string }[] } };
}

describe("teardownWorkflow", () => {
  const text = teardownWorkflow({ stack: "dev-alice", region: "eu-west-1" });

  it("is YAML that runs down for a lease that is over, one run at a time, and holds no key", () => {
    const workflow = parse(text) as Workflow;
    assert.deepEqual(workflow.permissions, { contents: "read", "id-token": "write" });
    assert.deepEqual(workflow.concurrency, {
      group: "berth-dev-alice",
      "cancel-in-progress": false,
    });
    const runs = workflow.jobs.teardown.steps.flatMap(({ run }) => run ?? []);
    assert.deepEqual(runs, [
      "npm run berth -- down --env dev-alice --if-over --yes",
      "npm run berth -- audit --env dev-alice --own --fix --yes",
    ]);
    assert.doesNotMatch(text, /AKIA|AWS_SECRET|access-key/i);
  });
});
