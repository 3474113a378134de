import assert from "node:assert/strict";
import { resourceTokens } from "../../../offline/aws-plugin/types/registry.ts";
import { without } from "../../../offline/aws-plugin/engine/defined.ts";
import { maker, scenarios } from "./scenarios.ts";
import { defaultTags, startBench, type Bench } from "./support.ts";

describe("AWS plugin", () => {
  let bench: Bench;
  before(async () => {
    bench = await startBench();
  });
  after(async () => {
    await bench.stop();
  });

  it("has a scenario for every type", () => {
    const told = scenarios.map(({ token }) => token).toSorted();
    assert.deepEqual(told, [...resourceTokens].toSorted());
  });

  for (const scenario of scenarios) {
    const { token, update, replace, importId, untold = [] } = scenario;
    it(`takes ${token} through its life`, async () => {
      const { client } = bench;
      const { make, clean } = maker(client);
      const inputs = await scenario.inputs(make);

      const made = await client.create(token, "Test", inputs);
      assert.notEqual(made.id, "");
      const found = await client.read(made);
      assert.deepEqual(found?.outputs, made.outputs, "reads what it made");
      assert.deepEqual(found.inputs, made.inputs, "reads the inputs it was given");
      const same = await client.diff(found, inputs);
      assert.deepEqual(same.detailed, {}, "the same inputs are no difference");
      assert.equal(same.some, false);
      if ("tags" in inputs) {
        assert.deepEqual(made.outputs["tagsAll"], {
          ...defaultTags,
          ...(inputs["tags"] as object),
        });
      }

      const changed = { ...inputs, ...update };
      const wanted = await client.diff(found, changed);
      assert.equal(wanted.some, Object.keys(update).length > 0);
      assert.deepEqual(wanted.replaces, [], "changes in place");
      const updated = await client.update(found, changed);
      const again = await client.read(updated);
      assert.deepEqual(again?.outputs, updated.outputs, "reads what it changed");
      assert.deepEqual((await client.diff(again, changed)).detailed, {});

      const replacing = await client.diff(again, { ...changed, ...replace });
      assert.deepEqual(replacing.replaces, Object.keys(replace));

      const id = importId?.(again) ?? again.id;
      const imported = await client.read({ ...again, id, inputs: {}, outputs: {} });
      assert.equal(imported?.id, again.id);
      const told = without(again.inputs, "__defaults");
      const differing = Object.keys((await client.diff(imported, told)).detailed);
      assert.deepEqual(
        differing.filter((key) => !untold.includes(key)),
        [],
        "imports it as it is",
      );

      await client.delete(again);
      assert.equal(await client.read(again), undefined);
      await client.delete(again);
      await clean();
    }).timeout(20_000);
  }
});
