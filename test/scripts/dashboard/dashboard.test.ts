import assert from "node:assert/strict";
import { Dashboard } from "../../../scripts/dashboard/dashboard.ts";
import { factsOf } from "./support.ts";

/** A machine of one's own, so that no account is asked, which is not logged in to. */
const machine = factsOf({ ownMachine: true, instanceId: undefined });

describe("Dashboard", () => {
  let now = Date.parse("2026-11-25T12:00:00Z");
  let names: readonly string[] = ["dev-a", "dev-b"];
  let listed = 0;

  function dashboardOf(facts: (stack: string) => Promise<typeof machine>): Dashboard {
    return new Dashboard({
      stackNames: () => {
        listed += 1;
        return names.length === 0 ? Promise.reject(new Error("locked")) : Promise.resolve(names);
      },
      facts,
      regions: [],
      probe: false,
      clock: () => now,
    });
  }

  it("asks nobody before it is looked at, then all, then nobody before it is due", async () => {
    const dashboard = dashboardOf(() => Promise.resolve(machine));
    assert.deepEqual([listed, dashboard.view.listed, dashboard.revision], [0, false, 0]);
    await dashboard.refresh();
    assert.deepEqual(
      dashboard.view.stacks.map(({ name, status }) => [name, status.text]),
      [
        ["dev-a", "deployed"],
        ["dev-b", "deployed"],
      ],
    );
    assert.deepEqual(dashboard.view.accounts, []);
    const { revision } = dashboard;
    await dashboard.refresh();
    assert.deepEqual([listed, dashboard.revision], [1, revision]);
    now += 60_000;
    await dashboard.refresh();
    assert.equal(listed, 2);
    assert.ok(dashboard.revision > revision);
  });

  // Nothing of AWS is asked here: of these the one is in the emulated AWS, which answers or is not there.
  it("shows the other stacks when the state of one cannot be read", async () => {
    names = ["dev-b", "local-a"];
    const dashboard = dashboardOf((stack) =>
      stack === "local-a" ? Promise.reject(new Error("damaged")) : Promise.resolve(machine),
    );
    await dashboard.refresh();
    const { stacks, silent } = dashboard.view;
    assert.deepEqual(
      stacks.map(({ status }) => [status.text, status.problem]),
      [
        ["deployed", undefined],
        ["not known", "damaged"],
      ],
    );
    assert.deepEqual(
      silent.filter(({ part }) => part.startsWith("state")).map(({ part, why }) => [part, why]),
      [["state of local-a", "damaged"]],
    );
  });

  it("is not held up by a state that takes long", async () => {
    let answer: (facts: typeof machine) => void = () => undefined;
    const late = new Promise<typeof machine>((resolve) => {
      answer = resolve;
    });
    const dashboard = dashboardOf((stack) =>
      stack === "local-a" ? late : Promise.resolve(machine),
    );
    const all = dashboard.refresh();
    while (dashboard.revision < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const texts = () => dashboard.view.stacks.map(({ status }) => status.text).toSorted();
    assert.deepEqual(texts(), ["", "deployed"]);
    answer(machine);
    await all;
    assert.deepEqual(texts(), ["deployed", "deployed"]);
  });

  it("keeps what it shows when the backend no longer lists, and forgets a stack that is removed", async () => {
    names = ["dev-a", "dev-b"];
    const dashboard = dashboardOf(() => Promise.resolve(machine));
    await dashboard.refresh();
    names = [];
    now += 60_000;
    await dashboard.refresh();
    assert.equal(dashboard.view.stacks.length, 2);
    assert.equal(dashboard.view.silent[0]?.why, "locked");
    names = ["dev-b"];
    now += 60_000;
    await dashboard.refresh();
    assert.deepEqual(
      dashboard.view.stacks.map(({ name }) => name),
      ["dev-b"],
    );
  });
});
