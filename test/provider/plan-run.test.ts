import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { BootstrapStep, StepName } from "../../components/bootstrap/plan-steps.ts";
import { UserError } from "../../components/user-error.ts";
import { PlanRun } from "../../provider/plan-run.ts";

function step(
  name: StepName,
  after: readonly StepName[] = [],
  usesPackages = false,
): BootstrapStep {
  return { name, ways: [{ script: name, args: [], why: "" }], after, usesPackages, asRoot: false };
}

/** Steps that take a moment each; what began and ended, in order. */
function recorder(failing: readonly StepName[] = []) {
  const events: string[] = [];
  const act = async ({ name }: BootstrapStep) => {
    events.push(`+${name}`);
    await sleep(20);
    events.push(`-${name}`);
    if (failing.includes(name)) throw new UserError(`${name} failed`, { hint: `Mend ${name}.` });
    return { changed: true };
  };
  return { events, act };
}

describe("The run of a plan", () => {
  it("runs steps side by side, each after those before it", async () => {
    const { events, act } = recorder();
    const run = new PlanRun(act, () => undefined);
    await run.run({
      steps: [
        step("prepare"),
        step("driver", ["prepare"]),
        step("runtime", ["prepare"]),
        step("verify", ["driver"]),
      ],
    });
    assert.ok(events.indexOf("+runtime") < events.indexOf("-driver"));
    assert.ok(events.indexOf("-driver") < events.indexOf("+verify"));
    assert.equal(events[1], "-prepare");
    assert.equal(run.records.length, 4);
  });

  it("lets one step at a time install packages", async () => {
    const { events, act } = recorder();
    const steps = [
      step("sources", [], true),
      step("driver", [], true),
      step("containers", [], true),
    ];
    await new PlanRun(act, () => undefined).run({ steps });
    for (const [index, event] of events.entries())
      assert.equal(event.startsWith("+"), index % 2 === 0, events.join(" "));
  });

  it("begins nothing after a failure, and awaits what runs", async () => {
    const { events, act } = recorder(["driver"]);
    const run = new PlanRun(act, () => undefined);
    const steps = [step("driver"), step("runtime"), step("verify", ["driver"])];
    await assert.rejects(run.run({ steps }), /driver failed/);
    assert.deepEqual(events.toSorted(), ["+driver", "+runtime", "-driver", "-runtime"].toSorted());
  });

  it("tells of every step that failed at the same time", async () => {
    const { act } = recorder(["driver", "python"]);
    const run = new PlanRun(act, () => undefined);
    await assert.rejects(
      run.run({ steps: [step("driver"), step("python")] }),
      (error: UserError) => {
        assert.deepEqual(error.problems, ["driver failed", "python failed"]);
        assert.equal(error.hint, "Mend driver. Mend python.");
        return true;
      },
    );
  });

  it("does something alone only when the others have ended, and lets none begin", async () => {
    const { events, act } = recorder();
    const run: PlanRun = new PlanRun(
      async (each) => {
        if (each.name !== "driver") return act(each);
        await run.alone("driver", async () => {
          events.push("+reboot");
          await sleep(40);
          events.push("-reboot");
        });
        return { changed: true };
      },
      () => undefined,
    );
    const steps = [step("runtime"), step("driver"), step("python", ["runtime"])];
    await run.run({ steps });
    assert.deepEqual(events, ["+runtime", "-runtime", "+reboot", "-reboot", "+python", "-python"]);
  });
});
