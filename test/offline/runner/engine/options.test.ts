import assert from "node:assert/strict";
import { join } from "node:path";

import { TestStack } from "./test-stack.ts";

describe("resource options", () => {
  let stack: TestStack;
  beforeEach(() => {
    stack = new TestStack();
  });
  afterEach(() => {
    stack.remove();
  });

  it("protect refuses a deletion and a replacement, and nothing is called", async () => {
    await stack.program(`new File("a", { key: "1" }, { protect: true });`).good("up");
    stack.calls();
    assert.match(await stack.bad("destroy"), /a cannot be deleted because it is protected/);
    stack.program(`new File("a", { key: "2" }, { protect: true });`);
    assert.match(await stack.bad("up"), /cannot be replaced because it is protected/);
    assert.ok(
      !stack.calls().some((call) => call.startsWith("delete") || call.startsWith("create")),
    );
    await stack.program(`new File("a", { key: "2" }, { protect: false });`).good("up");
    await stack.good("destroy");
    assert.deepEqual(stack.stored(), []);
  });

  it("protect is taken over by children, and excludeProtected destroys around it", async () => {
    await stack
      .program(
        `const g = new Group("g", {}, { protect: true }); new File("child", {}, { parent: g }); new File("other", {});`,
      )
      .good("up");
    assert.equal(stack.resource("child").protect, true);
    await stack.good("destroy", { excludeProtected: true });
    assert.ok(stack.names().includes("child"));
    assert.ok(!stack.names().includes("other"));
  });

  it("ignoreChanges keeps what was, by path and wildcard, and lets the rest change", async () => {
    const options = `{ ignoreChanges: ["top", "list[*].x", "map.inner"] }`;
    await stack
      .program(
        `new File("a", { top: 1, list: [{ x: 1, y: 1 }], map: { inner: 1, outer: 1 }, rest: 1 }, ${options});`,
      )
      .good("up");
    await stack
      .program(
        `new File("a", { top: 2, list: [{ x: 2, y: 1 }], map: { inner: 2, outer: 1 }, rest: 1 }, ${options});`,
      )
      .good("up", { expectNoChanges: true });
    await stack
      .program(
        `new File("a", { top: 2, list: [{ x: 2, y: 2 }], map: { inner: 2, outer: 2 }, rest: 2 }, ${options});`,
      )
      .good("up");
    const { inputs } = stack.resource("a");
    assert.deepEqual(inputs, {
      top: 1,
      list: [{ x: 1, y: 2 }],
      map: { inner: 1, outer: 2 },
      rest: 2,
    });
  });

  it("replaceOnChanges replaces where an update would do", async () => {
    await stack
      .program(`new File("a", { content: 1, deep: { x: 1 } }, { replaceOnChanges: ["deep.x"] });`)
      .good("up");
    const { id } = stack.resource("a");
    await stack
      .program(`new File("a", { content: 2, deep: { x: 1 } }, { replaceOnChanges: ["deep.x"] });`)
      .good("up");
    assert.equal(stack.resource("a").id, id);
    await stack
      .program(`new File("a", { content: 2, deep: { x: 1 }, z: 1 }, { replaceOnChanges: ["*"] });`)
      .good("up");
    assert.notEqual(stack.resource("a").id, id);
  });

  it("retainOnDelete leaves the resource and forgets it", async () => {
    await stack.program(`new File("a", {}, { retainOnDelete: true });`).good("up");
    await stack.good("destroy");
    assert.equal(stack.stored().length, 1);
    assert.deepEqual(stack.snapshot.resources, []);
  });

  it("deletedWith leaves the deletion to another resource's", async () => {
    await stack
      .program(`const host = new File("host", {}); new File("part", {}, { deletedWith: host });`)
      .good("up");
    stack.calls();
    await stack.good("destroy");
    assert.deepEqual(
      stack.calls().filter((call) => call.startsWith("delete")),
      ["delete host"],
    );
    assert.deepEqual(stack.snapshot.resources, []);
  });

  it("dependsOn orders creations and deletions", async () => {
    await stack
      .program(`const b = new File("b", { delayMs: 100 }); new File("a", {}, { dependsOn: b }); `)
      .good("up");
    assert.deepEqual(
      stack.calls().filter((call) => call.startsWith("create")),
      ["create b", "create a"],
    );
    assert.deepEqual(stack.resource("a").dependencies, [stack.resource("b").urn]);
    await stack.good("destroy");
    assert.deepEqual(
      stack.calls().filter((call) => call.startsWith("delete")),
      ["delete a", "delete b"],
    );
  });

  it("additionalSecretOutputs and customTimeouts are recorded", async () => {
    await stack
      .program(
        `new File("a", {}, { additionalSecretOutputs: ["path"], customTimeouts: { create: "1h5m", delete: "30s" } });`,
      )
      .good("up");
    const { outputs, customTimeouts, additionalSecretOutputs } = stack.resource("a");
    assert.equal(outputs["path"]?.constructor.name, "Secret");
    assert.deepEqual(additionalSecretOutputs, ["path"]);
    assert.deepEqual(customTimeouts, { create: 3900, update: 0, delete: 30 });
  });

  it("import takes an existing resource over, and refuses one that differs or is not there", async () => {
    await stack.program(`new File("made", { content: "x" }, { retainOnDelete: true });`).good("up");
    const id = stack.resource("made").id ?? "";
    await stack.good("destroy");
    const differing = stack.program(`new File("taken", { content: "y" }, { import: "${id}" });`);
    assert.match(await differing.bad("up"), /do not match the resource to import \(content\)/);
    const missing = stack.program(`new File("taken", { content: "x" }, { import: "nothing" });`);
    assert.match(await missing.bad("up"), /no resource with the id "nothing" to import/);
    stack.program(`new File("taken", { content: "x" }, { import: "${id}" });`);
    assert.deepEqual((await stack.good("up")).resourceChanges.import, 1);
    assert.equal(stack.resource("taken").importID, id);
    await stack.good("up", { expectNoChanges: true });
  });

  it("reads a resource that it does not own, and never deletes it", async () => {
    await stack.program(`new File("made", { content: "x" }, { retainOnDelete: true });`).good("up");
    const id = stack.resource("made").id ?? "";
    await stack.good("destroy");
    stack.program(`const r = new File("read", {}, { id: "${id}" }); export const path = r.path;`);
    const result = await stack.good("up");
    assert.equal(result.outputs?.["path"], join(stack.files, `${id}.json`));
    assert.equal(stack.resource("read").external, true);
    await stack.good("up", { expectNoChanges: true });
    await stack.good("destroy");
    assert.equal(stack.stored().length, 1);
  });

  it("refuses what it does not support by name", async () => {
    stack.program(`new File("a", {}, { replacementTrigger: 1 });`);
    assert.match(
      await stack.bad("up"),
      /"a" uses replacementTrigger, which offline\/runner does not support/,
    );
    stack.program(`new File("a", {}, { transforms: [() => undefined] });`);
    assert.match(await stack.bad("up"), /transforms/);
    stack.program(`new File("a", {}, { hooks: { beforeCreate: [() => {}] } });`);
    assert.match(await stack.bad("up"), /hooks/);
    assert.deepEqual(stack.stored(), []);
  });
});
