import assert from "node:assert/strict";

import { TestStack } from "./test-stack.ts";

describe("runUpdate", () => {
  let stack: TestStack;
  beforeEach(() => {
    stack = new TestStack();
  });
  afterEach(() => {
    stack.remove();
  });

  const program = `
    const provider = new Files("files", { label: "explicit" });
    const group = new Group("group");
    const a = new File("a", { content: "one" }, { parent: group, provider });
    const b = new File("b", { content: a.path }, { parent: group, dependsOn: a });
    group.registerOutputs({ path: b.path });
    export const path = b.path;
    export const label = a.settings;
  `;

  it("previews, deploys, changes nothing the second time and destroys", async () => {
    stack.ownPlugins().program(program);
    const preview = await stack.good("preview");
    assert.deepEqual(stack.stored(), []);
    assert.equal(stack.saves.length, 0);
    const up = await stack.good("up");
    assert.deepEqual(preview.resourceChanges, up.resourceChanges);
    assert.deepEqual(up.resourceChanges, { create: 5 });
    assert.equal(stack.stored().length, 2);
    assert.equal(up.outputs?.["label"], "explicit");
    assert.equal(stack.resource("b").inputs["content"], stack.resource("a").outputs["path"]);
    const again = await stack.good("up", { expectNoChanges: true });
    assert.deepEqual(again.resourceChanges, { same: 5 });
    assert.deepEqual(again.outputs, up.outputs);
    const down = await stack.good("destroy");
    assert.deepEqual(down.resourceChanges, { delete: 5 });
    assert.deepEqual(stack.stored(), []);
    assert.deepEqual(stack.snapshot.resources, []);
  });
});
