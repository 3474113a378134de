import assert from "node:assert/strict";
import { refuseBuild } from "../../../components/bootstrap/choose-torch.ts";
import { planBootstrap } from "../../../components/bootstrap/plan.ts";
import { bareHost, hostFacts } from "./host-facts.ts";
import { recordedMachines, type RecordedMachine } from "./recorded-machines.ts";

const named = ({ gpu, driver, torch, source }: RecordedMachine) =>
  `${torch} on ${gpu} with driver ${driver || "unknown"}, ${source.replace("https://github.com/", "")}`;

describe("The compatibility table, by machines that people posted", () => {
  for (const machine of recordedMachines) {
    const { torch, computeCapability, driver, python, computes, although } = machine;
    const [release = "", build = ""] = torch.split("+cu");
    const cuda = `${build.slice(0, -1)}.${build.slice(-1)}`;

    const runs = computes && although === undefined;
    it(`${runs ? "takes" : "refuses"} ${named(machine)}`, () => {
      // One that runs every build leaves the GPU alone to be judged.
      const driverVersion = driver === "" ? "999" : driver;
      const ground = { computeCapability, driverVersion, python };
      const refusal = refuseBuild(release, cuda, ground);
      assert.equal(refusal === undefined, runs, refusal?.message);
      if (although !== undefined) assert.match(refusal?.message ?? "", /needs driver/);
    });
  }
});

describe("planBootstrap, by machines that people posted", () => {
  const whole = recordedMachines.filter(
    ({ system, driver }) => system !== undefined && driver !== "",
  );

  for (const machine of whole) {
    const [os = "", osVersion = ""] = (machine.system ?? "").split(" ");
    const driverVersion = machine.driver;
    const gpu = { ...hostFacts().gpus[0]!, name: `NVIDIA ${machine.gpu}`, driverVersion };
    const gpus = Array.from({ length: machine.count }, (_, index) => ({ ...gpu, index }));
    const facts = bareHost([], {
      ...{ os, osVersion, kernel: machine.kernel ?? "", python: machine.python },
      ...{ nvidiaSmi: 0 as const, gpus, moduleLoaded: true, moduleVersion: driverVersion },
    });
    const wish = { gpu: { model: machine.gpu, count: machine.count }, engine: "llama.cpp" };

    it(`leaves the driver of ${named(machine)} alone`, () => {
      const { driver, steps, refusals, reboot } = planBootstrap(facts, wish);
      assert.deepEqual([driver.strategy, driver.fallbacks, refusals], ["preinstalled", [], []]);
      assert.equal(reboot.when, "never");
      assert.ok(!steps.some(({ name }) => name === "sources"));
    });
  }
});
