import assert from "node:assert/strict";

import { Secret } from "../../../../offline/runner/engine/property-value.ts";
import { TestStack } from "./test-stack.ts";

describe("values", () => {
  let stack: TestStack;
  beforeEach(() => {
    stack = new TestStack();
  });
  afterEach(() => {
    stack.remove();
  });

  it("secrets stay secrets from input to output to the next resource", async () => {
    stack.program(`
      const a = new File("a", { content: pulumi.secret("hush") });
      const b = new File("b", { copy: a.content ?? a.settings, of: pulumi.output(a.path) });
      export const path = pulumi.secret(b.path);
    `);
    stack.config.set("proj:token", { value: "hush-config", secret: true });
    const { outputs } = await stack.good("up");
    assert.deepEqual(stack.resource("a").inputs["content"], new Secret("hush"));
    assert.deepEqual(stack.resource("a").outputs["content"], new Secret("hush"));
    assert.ok(outputs?.["path"] instanceof Secret);
    assert.ok(!JSON.stringify(stack.events).includes("hush"));
    await stack.good("up", { expectNoChanges: true });
  });

  it("the program reads its configuration, secrets included", async () => {
    stack.config.set("proj:plain", { value: "1", secret: false });
    stack.config.set("proj:hidden", { value: "2", secret: true });
    stack.program(`
      const config = new pulumi.Config();
      export const plain = config.requireNumber("plain");
      export const hidden = config.requireSecret("hidden");
    `);
    const { outputs } = await stack.good("up");
    assert.deepEqual(outputs, { plain: 1, hidden: new Secret("2") });
  });

  it("what a preview cannot know is unknown, and everything else is as in the update", async () => {
    stack.program(`
      const a = new File("a", { content: "known" });
      let ran = "no";
      a.path.apply(() => { ran = "yes"; });
      const b = new File("b", { from: a.path, list: [a.id, 1] });
      export const path = b.path;
      export const known = a.settings;
    `);
    const preview = await stack.good("preview");
    assert.equal(preview.outputs?.["path"]?.constructor.name, "Unknown");
    const planned = stack.metadata().find(({ urn }) => urn.endsWith("::b"));
    assert.equal((planned?.new?.inputs["list"] as unknown[])[1], 1);
    const up = await stack.good("up");
    assert.deepEqual(up.resourceChanges, preview.resourceChanges);
  });

  it("a preview of a change says what it will replace and update", async () => {
    const program = (key: string): string =>
      `const a = new File("a", { key: "${key}", content: "x" }); new File("b", { content: a.path });`;
    await stack.program(program("1")).good("up");
    stack.program(program("2"));
    const preview = await stack.good("preview");
    const replaced = stack.metadata().find(({ op }) => op === "replace");
    assert.deepEqual(replaced?.keys, ["key"]);
    assert.deepEqual(replaced.detailedDiff, {
      key: { diffKind: "update-replace", inputDiff: true },
    });
    const before = stack.snapshot;
    assert.deepEqual((await stack.good("up")).resourceChanges, preview.resourceChanges);
    assert.notEqual(before, stack.snapshot);
  });

  it("a provider that does not decide leaves the comparison of inputs to the engine", async () => {
    await stack.program(`new File("a", { undecided: true, deep: { x: [1, 2] } });`).good("up");
    await stack.good("up", { expectNoChanges: true });
    await stack
      .program(`new File("a", { undecided: true, deep: { x: [1, 3] }, more: 1 });`)
      .good("up");
    const updated = stack.metadata().find(({ op }) => op === "update");
    assert.deepEqual(updated?.detailedDiff, {
      "deep.x[1]": { diffKind: "update", inputDiff: true },
      more: { diffKind: "add", inputDiff: true },
    });
  });

  it("inputs that a provider makes up are kept, and made up anew for a replacement", async () => {
    await stack.program(`new File("a", { autoName: true, key: 1 });`).good("up");
    const { name } = stack.resource("a").inputs;
    await stack.good("up", { expectNoChanges: true });
    await stack.program(`new File("a", { autoName: true, key: 2 });`).good("up");
    assert.notEqual(stack.resource("a").inputs["name"], name);
  });

  it("another stack's outputs come through a StackReference, its secrets as secrets", async () => {
    stack.program(`
      const other = new pulumi.StackReference("organization/proj/other");
      export const open = other.getOutput("open");
      export const hidden = other.getOutput("hidden");
    `);
    const readStackOutputs = (
      name: string,
    ): Promise<{ open: number; hidden: Secret } | undefined> =>
      Promise.resolve(
        name === "organization/proj/other" ? { open: 1, hidden: new Secret("x") } : undefined,
      );
    const { outputs } = await stack.good("up", { readStackOutputs });
    assert.equal(outputs?.["open"], 1);
    assert.deepEqual(outputs["hidden"], new Secret("x"));
    assert.match(await stack.bad("up"), /StackReference is not supported here/);
  });

  it("a resource passed as a value keeps its identity", async () => {
    await stack.program(`const a = new File("a", {}); new File("b", { other: a });`).good("up");
    const other = stack.resource("b").inputs["other"];
    assert.equal(other?.constructor.name, "ResourceReference");
    await stack.good("up", { expectNoChanges: true });
  });
});
