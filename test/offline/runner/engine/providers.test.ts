import assert from "node:assert/strict";

import { Secret } from "../../../../offline/runner/engine/property-value.ts";
import { TestStack } from "./test-stack.ts";

describe("providers", () => {
  let stack: TestStack;
  beforeEach(() => {
    stack = new TestStack().ownPlugins();
  });
  afterEach(() => {
    stack.remove();
  });

  it("records the default one with its version and settings, and refers to it by URN and id", async () => {
    stack.config.set("files:label", { value: "hidden", secret: true });
    await stack.program(`new File("a", {}, { version: "1.2.3" });`).good("up");
    const provider = stack.resource("default_1_2_3");
    assert.equal(provider.urn, "urn:pulumi:dev::proj::pulumi:providers:files::default_1_2_3");
    assert.deepEqual(provider.inputs["__internal"], {});
    assert.equal(provider.inputs["version"], "1.2.3");
    assert.ok(provider.inputs["label"] instanceof Secret);
    assert.equal(provider.outputs["__internal"], undefined);
    assert.equal(stack.resource("a").provider, `${provider.urn}::${provider.id ?? ""}`);
    assert.ok(!JSON.stringify(stack.events).includes("hidden"));
  });

  it("upgrades a default one without touching what it manages", async () => {
    await stack.program(`new File("a", {}, { version: "1.0.0" });`).good("up");
    const { id } = stack.resource("a");
    stack.program(`new File("a", {}, { version: "2.0.0" });`);
    assert.deepEqual((await stack.good("up")).resourceChanges, { same: 2 });
    assert.equal(stack.find("default_1_0_0"), undefined);
    assert.equal(stack.resource("a").id, id);
    assert.match(stack.resource("a").provider ?? "", /default_2_0_0/);
    await stack.good("up", { expectNoChanges: true });
  });

  it("updates an explicit one in place, and replaces it with all that it manages when it says so", async () => {
    const program = (settings: string): string =>
      `const p = new Files("p", ${settings}); new File("a", {}, { provider: p });`;
    await stack.program(program(`{ account: "1", label: "x" }`)).good("up");
    const { id } = stack.resource("a");
    await stack.program(program(`{ account: "1", label: "y" }`)).good("up");
    assert.equal(stack.resource("a").id, id);
    stack.calls();
    await stack.program(program(`{ account: "2", label: "y" }`)).good("up");
    assert.notEqual(stack.resource("a").id, id);
    assert.deepEqual(
      stack.calls().filter((call) => /^(create|delete)/.test(call)),
      ["create a", "delete a"],
    );
    assert.equal(stack.stored().length, 1);
  });

  it("is not called in a preview while its settings are unknown", async () => {
    stack.program(`
      const first = new File("first", {});
      const p = new Files("p", { label: first.path });
      const a = new File("a", { content: "known" }, { provider: p });
      export const content = a.path;
    `);
    await stack.good("preview");
    assert.ok(!stack.calls().includes("check a"));
    await stack.good("up");
    assert.equal(stack.resource("a").outputs["settings"], stack.resource("first").outputs["path"]);
  });

  it("keeps secrets of one that does not understand them", async () => {
    stack.program(`
      const p = new Files("p", { acceptSecrets: "false" });
      new File("a", { flat: pulumi.secret("hush"), deep: { inner: pulumi.secret("quiet"), open: 1 } }, { provider: p });
    `);
    await stack.good("up");
    const { inputs, outputs } = stack.resource("a");
    for (const values of [inputs, outputs]) {
      assert.deepEqual(values["flat"], new Secret("hush"));
      assert.deepEqual(values["deep"], { inner: new Secret("quiet"), open: 1 });
    }
    assert.ok(!JSON.stringify(stack.events).includes("hush"));
    await stack.good("up", { expectNoChanges: true });
  });

  it("calls functions with its settings", async () => {
    stack.program(`
      const p = new Files("p", { label: "mine" });
      const said = pulumi.invokeOutput("files:index:echo", { say: "hello" }, { provider: p });
      export const answer = said;
    `);
    const { outputs } = await stack.good("up");
    assert.deepEqual(outputs?.["answer"], { said: "hello", label: "mine" });
  });

  it("keeps a failing function apart from the state", async () => {
    stack.program(`export const answer = pulumi.invoke("files:index:missing", {});`);
    assert.match(await stack.bad("up"), /no function files:index:missing/);
  });
});
