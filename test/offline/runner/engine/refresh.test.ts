import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { TestStack } from "./test-stack.ts";

describe("refresh, targets and parallel steps", () => {
  let stack: TestStack;
  beforeEach(() => {
    stack = new TestStack();
  });
  afterEach(() => {
    stack.remove();
  });

  function drift(name: string, content: string): void {
    const file = join(stack.files, `${stack.resource(name).id ?? ""}.json`);
    writeFileSync(file, readFileSync(file, "utf8").replaceAll("as-made", content));
  }

  it("records drift, drops what is gone, and the next update puts both right", async () => {
    await stack
      .program(
        `const a = new File("a", { content: "as-made" }); new File("b", { content: a.path }); new File("gone", {});`,
      )
      .good("up");
    await stack.good("refresh", { expectNoChanges: true });
    drift("a", "drifted");
    rmSync(join(stack.files, `${stack.resource("gone").id ?? ""}.json`));
    const shown = await stack.good("refresh", { previewOnly: true });
    assert.ok(stack.find("gone") !== undefined);
    const refreshed = await stack.good("refresh");
    assert.deepEqual(shown.resourceChanges, refreshed.resourceChanges);
    assert.equal(refreshed.resourceChanges.update, 1);
    assert.equal(refreshed.resourceChanges.delete, 1);
    assert.equal(stack.resource("a").outputs["content"], "drifted");
    assert.equal(stack.find("gone"), undefined);
    const up = await stack.good("up");
    assert.equal(up.resourceChanges.create, 1);
    assert.equal(up.resourceChanges.update, 1);
    assert.equal(stack.resource("a").outputs["content"], "as-made");
  });

  it("refreshes first when asked to", async () => {
    await stack.program(`new File("a", { content: "as-made" });`).good("up");
    drift("a", "drifted");
    await stack.good("up", { expectNoChanges: true });
    const preview = await stack.good("preview", { refreshFirst: true });
    const up = await stack.good("up", { refreshFirst: true });
    assert.equal(stack.resource("a").outputs["content"], "as-made");
    assert.deepEqual(preview.resourceChanges, up.resourceChanges);
  });

  it("drops references to what is gone", async () => {
    await stack
      .program(`const a = new File("a", {}); new File("b", { content: a.path }, { dependsOn: a });`)
      .good("up");
    rmSync(join(stack.files, `${stack.resource("a").id ?? ""}.json`));
    await stack.good("refresh");
    assert.deepEqual(stack.resource("b").dependencies, []);
    await stack.good("destroy");
  });

  it("changes only the targets, and creates nothing else", async () => {
    await stack.program(`new File("a", { content: 1 }); new File("b", { content: 1 });`).good("up");
    stack.program(
      `new File("a", { content: 2 }); new File("b", { content: 2 }); new File("c", {});`,
    );
    await stack.good("up", { targets: ["**::b"] });
    assert.equal(stack.resource("a").inputs["content"], 1);
    assert.equal(stack.resource("b").inputs["content"], 2);
    assert.equal(stack.find("c"), undefined);
    stack.program(`const c = new File("c", {}); new File("d", { content: c.path });`);
    assert.match(
      await stack.bad("up", { targets: ["**::d"] }),
      /depends on .*::c, which does not exist and is no target/,
    );
  });

  it("destroys only the targets, and says what depends on them", async () => {
    await stack
      .program(
        `const a = new File("a", {}); new File("b", { content: a.path }); new File("c", {});`,
      )
      .good("up");
    assert.match(
      await stack.bad("destroy", { targets: ["**::a"] }),
      /a cannot be deleted: .*::b depends on it/,
    );
    assert.equal(stack.stored().length, 3);
    await stack.good("destroy", { targets: ["**::a"], targetDependents: true });
    assert.deepEqual(
      stack.stored().map((name) => name[0]),
      ["c"],
    );
  });

  it("runs independent steps side by side, no more than allowed", async () => {
    const many = `for (let i = 0; i < 8; i++) new File("f" + i, { delayMs: 200 });`;
    const mostAtOnce = (): number =>
      Math.max(...stack.saves.map(({ pendingOperations }) => pendingOperations.length));
    for (const parallel of [8, 3, 1]) {
      stack.saves = [];
      await stack.program(many).good("up", { parallel });
      const most = mostAtOnce();
      assert.ok(most <= parallel, `${most} at once`);
      if (parallel > 1) assert.ok(most > 1, "none ran beside another");
      await stack.good("destroy", { parallel: 8 });
    }
  });

  it("saves every step before and after it", async () => {
    await stack.program(`new File("a", {});`).good("up");
    const seen = stack.saves.map((snapshot) =>
      snapshot.pendingOperations.map(
        ({ type, resource }) => `${type} ${resource.urn.split("::").at(-1) ?? ""}`,
      ),
    );
    assert.ok(seen.some((operations) => operations.includes("creating a")));
    assert.deepEqual(seen.at(-1), []);
    stack.saves = [];
    await stack.good("up");
    assert.equal(stack.saves.length <= 1, true);
  });

  it("keeps every resource behind all that it depends on, in every snapshot", async () => {
    const program = (key: string): string => `
      const g = new Group("g");
      const a = new File("a", { key: "${key}" }, { parent: g });
      const b = new File("b", { key: a.path }, { parent: g });
      new File("c", { solo: b.path }, { dependsOn: a });
    `;
    await stack.program(program("1")).good("up");
    await stack.program(program("2")).good("up");
    await stack.program(`new Group("g");`).good("up");
    for (const { resources } of stack.saves) {
      const before = new Set<string>();
      for (const { urn, parent, dependencies, provider } of resources) {
        const needed = [
          parent,
          ...(dependencies ?? []),
          provider?.slice(0, provider.lastIndexOf("::")),
        ];
        for (const one of needed)
          if (one !== undefined) assert.ok(before.has(one), `${one} stands behind ${urn}`);
        before.add(urn);
      }
    }
  });
});
