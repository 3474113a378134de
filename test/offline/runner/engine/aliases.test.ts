import assert from "node:assert/strict";

import { aliasUrns } from "../../../../offline/runner/engine/aliases.ts";
import { plainGoal } from "../../../../offline/runner/engine/goal.ts";
import { TestStack } from "./test-stack.ts";

describe("aliases", () => {
  let stack: TestStack;
  beforeEach(() => {
    stack = new TestStack();
  });
  afterEach(() => {
    stack.remove();
  });

  it("finds a renamed resource, and what refers to it follows", async () => {
    await stack
      .program(`const a = new File("a", {}); new File("b", { content: a.path });`)
      .good("up");
    const { id } = stack.resource("a");
    stack.program(
      `const a = new File("a2", {}, { aliases: [{ name: "a" }] }); new File("b", { content: a.path });`,
    );
    assert.deepEqual((await stack.good("up")).resourceChanges, { same: 3 });
    assert.equal(stack.resource("a2").id, id);
    assert.equal(stack.find("a"), undefined);
    assert.deepEqual(stack.resource("b").dependencies, [stack.resource("a2").urn]);
    stack.program(`const a = new File("a2", {}); new File("b", { content: a.path });`);
    await stack.good("up", { expectNoChanges: true });
  });

  it("finds a resource under a URN, another type, and another parent", async () => {
    await stack
      .program(
        `const g = new Group("g"); new File("x", {}, { parent: g }); new File("y", {}, {}, "files:old:File");`,
      )
      .good("up");
    const { urn } = stack.resource("x");
    stack.program(`
      new Group("g");
      new File("x", {}, { aliases: ["${urn}"] });
      new File("y", {}, { aliases: [{ type: "files:old:File" }] });
    `);
    await stack.good("up", { expectNoChanges: true });
    stack.program(`
      const g = new Group("g");
      new File("x", {}, { parent: g, aliases: [{ parent: pulumi.rootStackResource }] });
      new File("y", {});
    `);
    await stack.good("up", { expectNoChanges: true });
  });

  it("lets children follow a renamed parent, with a name that begins like it", async () => {
    await stack
      .program(
        `const g = new Group("old"); new File("old-disk", {}, { parent: g }); new File("own", {}, { parent: g });`,
      )
      .good("up");
    stack.program(`
      const g = new Group("new", {}, { aliases: [{ name: "old" }] });
      new File("new-disk", {}, { parent: g });
      new File("own", {}, { parent: g });
    `);
    await stack.good("up", { expectNoChanges: true });
    assert.deepEqual(stack.names().toSorted(), ["default", "new", "new-disk", "own", "proj-dev"]);
  });

  it("finds a renamed provider without replacing what it manages", async () => {
    stack.ownPlugins();
    await stack
      .program(`const p = new Files("p", {}); new File("a", {}, { provider: p });`)
      .good("up");
    stack.program(
      `const p = new Files("q", {}, { aliases: [{ name: "p" }] }); new File("a", {}, { provider: p });`,
    );
    await stack.good("up", { expectNoChanges: true });
    await stack.good("destroy");
    assert.deepEqual(stack.stored(), []);
  });

  it("refuses an alias that another resource has", async () => {
    await stack.program(`new File("a", {});`).good("up");
    stack.program(`new File("a", {}); new File("b", {}, { aliases: [{ name: "a" }] });`);
    assert.match(
      await stack.bad("up"),
      /(b has the alias .*::a, and so has .*::a)|(b has it as an alias)/,
    );
  });

  it("makes URNs in other stacks and projects", () => {
    const goal = {
      ...plainGoal("t:i:T", "n", {}),
      aliases: [
        {
          kind: "spec",
          name: "",
          type: "",
          stack: "s2",
          project: "p2",
          parent: "",
          noParent: false,
        },
      ] as const,
    };
    assert.deepEqual(
      aliasUrns(goal, { stack: "s", project: "p" }, () => undefined),
      ["urn:pulumi:s2::p2::t:i:T::n"],
    );
  });
});
