import assert from "node:assert/strict";

import { TestStack } from "./test-stack.ts";

describe("failures", () => {
  let stack: TestStack;
  beforeEach(() => {
    stack = new TestStack();
  });
  afterEach(() => {
    stack.remove();
  });

  it("lets running steps end and starts nothing new", async () => {
    stack.program(`
      const slow = new File("slow", { delayMs: 400 });
      const broken = new File("broken", { fault: "create:fail", delayMs: 100 });
      new File("later", { content: slow.path });
      new File("after", { content: broken.path });
    `);
    const said = await stack.bad("up");
    assert.match(said, /create was told to fail/);
    assert.deepEqual(
      stack
        .calls()
        .filter((call) => call.startsWith("create"))
        .toSorted(),
      ["create broken", "create slow"],
    );
    assert.ok(stack.find("slow") !== undefined && stack.find("broken") === undefined);
    assert.deepEqual(stack.snapshot.pendingOperations, []);
    stack.program(
      `const slow = new File("slow", { delayMs: 400 }); new File("later", { content: slow.path });`,
    );
    assert.deepEqual((await stack.good("up")).resourceChanges, { same: 2, create: 1 });
  });

  it("goes on with the rest when told so", async () => {
    stack.program(`
      const broken = new File("broken", { fault: "create:fail" });
      new File("other", {}, {});
      const slow = new File("slow", { delayMs: 300 });
      new File("later", { content: slow.path });
    `);
    await stack.bad("up", { continueOnError: true });
    assert.ok(stack.find("later") !== undefined && stack.find("broken") === undefined);
  });

  it("keeps a resource that was made and did not come up, and finishes it at the next run", async () => {
    stack.program(`new File("a", { content: 1, fault: "create:partial" });`);
    assert.match(await stack.bad("up"), /made, and not ready/);
    assert.deepEqual(stack.resource("a").initErrors, ["it did not come up"]);
    const { id } = stack.resource("a");
    await stack.good("up");
    assert.equal(stack.resource("a").initErrors, undefined);
    assert.equal(stack.resource("a").id, id);
  });

  it("names resource and plugin when the plugin crashes, and reports the creation at the next run", async () => {
    stack.ownPlugins().program(`new File("a", { fault: "create:crash" });`);
    const said = await stack.bad("up");
    assert.match(said, /plugin "files".*(exit code 3|cannot be reached).*creating .*::a/);
    assert.match(said, /info#err: the provider is about to crash/);
    assert.deepEqual(
      stack.snapshot.pendingOperations.map(
        ({ type, resource }) => `${type} ${resource.urn.split("::").at(-1) ?? ""}`,
      ),
      ["creating a"],
    );
    await stack.program(`new File("a", {});`).good("up");
    assert.match(
      stack.diagnostics().join(""),
      /warning: An earlier update was cut off while creating/,
    );
    assert.equal(stack.snapshot.pendingOperations.length, 1);
    await stack.good("refresh", { clearPendingCreates: true });
    assert.deepEqual(stack.snapshot.pendingOperations, []);
  });

  it("ends a call that hangs at its limit", async () => {
    stack.program(
      `new File("a", { fault: "create:hang" }, { customTimeouts: { create: "200ms" } });`,
    );
    process.env["PULUMI_RUNNER_GRACE"] = "0.3";
    try {
      assert.match(
        await stack.bad("up"),
        /plugin "files" did not answer within 0\.5 s while creating .*::a/,
      );
    } finally {
      delete process.env["PULUMI_RUNNER_GRACE"];
    }
    assert.equal(stack.snapshot.pendingOperations.length, 1);
  });

  it("refuses a bad answer", async () => {
    assert.match(
      await stack.program(`new File("a", { fault: "create:no-id" });`).bad("up"),
      /bad answer .*it gave no id/,
    );
    const unknown = stack.program(`new File("b", { fault: "create:unknown" });`);
    assert.match(await unknown.bad("up"), /gave an unknown value outside of a preview/);
  });

  it("shows every problem that a check finds", async () => {
    const said = await stack.program(`new File("a", { invalid: 1 });`).bad("preview");
    assert.match(said, /files:index:File "a" property "invalid": it is not valid/);
  });

  it("says what is missing when there is no plugin, or it does not start", async () => {
    stack.ownPlugins().environment["FILES_START_FAULT"] = "no-port";
    assert.match(
      await stack.program(`new File("a", {});`).bad("up"),
      /"files" ended with exit code 7:\ncannot start today/,
    );
    stack.plugins = [];
    assert.match(await stack.bad("up"), /No resource plugin "files" was found/);
  });

  it("fails when the program fails, deletes nothing, and keeps the outputs that it did not reach", async () => {
    await stack.program(`new File("a", {}); export const one = 1;`).good("up");
    const said = await stack
      .program(`new File("b", {}); throw new pulumi.RunError("no more");`)
      .bad("up");
    assert.match(said, /error: no more/);
    assert.ok(stack.find("a") !== undefined);
    assert.equal((await stack.program(`syntax error here`).run("up")).result, "failed");
    assert.equal(stack.stored().length >= 1, true);
  });

  it("stops at an interrupt: what runs ends and is recorded", async () => {
    const interrupt = new AbortController();
    stack.program(`
      const slow = new File("slow", { delayMs: 500 });
      new File("later", { content: slow.path });
    `);
    const running = stack.run("up", {
      signal: interrupt.signal,
      emit: (event) => {
        if (JSON.stringify(event).includes("::slow")) interrupt.abort();
      },
    });
    const result = await running;
    assert.equal(result.cancelled, true);
    assert.equal(result.result, "failed");
    assert.ok(stack.find("slow") !== undefined && stack.find("later") === undefined);
    assert.deepEqual(stack.snapshot.pendingOperations, []);
  });

  it("ends with the reason when the state cannot be saved", async () => {
    stack.program(`const a = new File("a", {}); new File("b", { content: a.path });`);
    let saves = 0;
    const store = {
      load: () => stack.snapshot,
      save: () =>
        ++saves > 3 ? Promise.reject(new Error("no space left on device")) : Promise.resolve(),
    };
    assert.match(await stack.bad("up", { store }), /no space left on device/);
    assert.ok(!stack.calls().includes("create b"));
  });

  it("masks secret settings in what a program logs", async () => {
    stack.config.set("proj:token", { value: "very-hidden", secret: true });
    await stack.program(`console.log("the token is very-hidden");`).good("up");
    assert.match(stack.diagnostics().join(""), /the token is \[secret\]/);
  });

  it("refuses two resources of one name", async () => {
    assert.match(
      await stack.program(`new File("a", {}); new File("a", {});`).bad("up"),
      /registered twice/,
    );
  });
});
