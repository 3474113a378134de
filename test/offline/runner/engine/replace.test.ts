import assert from "node:assert/strict";

import { TestStack } from "./test-stack.ts";

function changes(calls: readonly string[]): string[] {
  return calls.filter((call) => /^(create|update|delete) /.test(call));
}

describe("replacement", () => {
  let stack: TestStack;
  beforeEach(() => {
    stack = new TestStack();
  });
  afterEach(() => {
    stack.remove();
  });

  const chain = (property: string, value: string): string => `
    const a = new File("a", { ${property}: "${value}" });
    const b = new File("b", { content: a.path });
    const c = new File("c", { ${property}: a.path });
  `;

  it("creates first: dependents follow, then the old ones go", async () => {
    await stack.program(chain("key", "1")).good("up");
    stack.calls();
    stack.program(chain("key", "2"));
    const preview = await stack.good("preview");
    const up = await stack.good("up");
    assert.deepEqual(preview.resourceChanges, up.resourceChanges);
    assert.deepEqual(up.resourceChanges, { same: 1, replace: 2, update: 1 });
    const calls = changes(stack.calls());
    assert.deepEqual(calls.slice(0, 1), ["create a"]);
    assert.deepEqual(calls.slice(-2), ["delete c", "delete a"]);
    assert.equal(stack.stored().length, 3);
    assert.ok(stack.steps().includes("replace a") && stack.steps().includes("delete-replaced a"));
    await stack.good("up", { expectNoChanges: true });
  });

  it("keeps the old one, marked, while it waits for its deletion", async () => {
    await stack.program(chain("key", "1")).good("up");
    stack.saves = [];
    await stack.program(chain("key", "2")).good("up");
    const marked = stack.saves.find((snapshot) =>
      snapshot.resources.some((state) => state.delete === true),
    );
    assert.equal(marked?.resources.filter(({ urn }) => urn.endsWith("::a")).length, 2);
  });

  it("deletes first: dependents that must be replaced go before, and come back", async () => {
    await stack.program(chain("solo", "1")).good("up");
    stack.calls();
    await stack.program(chain("solo", "2")).good("up");
    const calls = changes(stack.calls());
    assert.deepEqual(calls.slice(0, 3), ["delete c", "delete a", "create a"]);
    assert.ok(
      calls.includes("create c") && calls.includes("update b") && !calls.includes("delete b"),
    );
    assert.ok(!stack.snapshot.resources.some((state) => state.pendingReplacement === true));
    await stack.good("up", { expectNoChanges: true });
  });

  it("follows the program's deleteBeforeReplace over the provider's", async () => {
    await stack.program(`new File("a", { key: "1" }, { deleteBeforeReplace: true });`).good("up");
    stack.calls();
    await stack.program(`new File("a", { key: "2" }, { deleteBeforeReplace: true });`).good("up");
    assert.deepEqual(changes(stack.calls()), ["delete a", "create a"]);
    await stack
      .program(`new File("a", { key: "2", solo: 1 }, { deleteBeforeReplace: false });`)
      .good("up");
    assert.deepEqual(changes(stack.calls()), ["create a", "delete a"]);
  });

  it("takes up a replacement again whose creation failed after the deletion", async () => {
    await stack.program(`new File("a", { solo: "1" });`).good("up");
    await stack.program(`new File("a", { solo: "2", fault: "create:fail" });`).bad("up");
    assert.equal(stack.resource("a").pendingReplacement, true);
    assert.deepEqual(stack.stored(), []);
    await stack.program(`new File("a", { solo: "2" });`).good("up");
    assert.equal(stack.resource("a").pendingReplacement, undefined);
    assert.equal(stack.stored().length, 1);
    await stack.good("up", { expectNoChanges: true });
  });

  it("drops a resource whose replacement is not wanted any more", async () => {
    await stack.program(`new File("a", { solo: "1" });`).good("up");
    await stack.program(`new File("a", { solo: "2", fault: "create:fail" });`).bad("up");
    await stack.program(`export const nothing = 1;`).good("up");
    assert.equal(stack.find("a"), undefined);
  });

  it("deletes at the next run what it could not delete", async () => {
    await stack.program(`new File("a", { key: "1", fault: "delete:fail" });`).good("up");
    const said = await stack.program(`new File("a", { key: "2" });`).bad("up");
    assert.match(said, /delete was told to fail/);
    assert.equal(stack.names().filter((name) => name === "a").length, 2);
    await stack.bad("up");
    assert.equal(stack.stored().length, 2);
  });

  it("replaces on request", async () => {
    await stack.program(`new File("a", { content: 1 }); new File("b", {});`).good("up");
    const { id, urn } = stack.resource("a");
    const result = await stack.good("up", { replace: [urn] });
    assert.equal(result.resourceChanges.replace, 1);
    assert.notEqual(stack.resource("a").id, id);
  });
});
