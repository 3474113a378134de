import assert from "node:assert/strict";
import fc from "fast-check";
import type { HostFacts } from "../../../components/bootstrap/facts.ts";
import { gpusOnBus } from "../../../components/bootstrap/gpu-hardware.ts";
import { planBootstrap } from "../../../components/bootstrap/plan.ts";
import type { BootstrapStep } from "../../../components/bootstrap/plan-steps.ts";
import type { BootstrapWish } from "../../../components/bootstrap/wish.ts";
import { bareHost, hostFacts } from "./host-facts.ts";

const devices = [
  "1b38",
  "1db1",
  "1db5",
  "1eb8",
  "20b0",
  "2237",
  "27b8",
  "26b9",
  "2330",
  "2335",
  "2901",
  "2bb5",
  "2c3a",
  "3182",
  "4fff",
];
const systems = [
  ["ubuntu", "22.04"],
  ["ubuntu", "24.04"],
  ["debian", "12"],
  ["debian", "13"],
  ["amzn", "2023"],
  ["rocky", "9"],
] as const;
const smi = [
  { nvidiaSmi: "absent" as const, nvidiaSmiSays: "" },
  { nvidiaSmi: 0, nvidiaSmiSays: "" },
  { nvidiaSmi: 9, nvidiaSmiSays: "NVIDIA-SMI has failed because it couldn't communicate" },
  { nvidiaSmi: 18, nvidiaSmiSays: "Failed to initialize NVML: Driver/library version mismatch" },
  { nvidiaSmi: 6, nvidiaSmiSays: "No devices were found" },
  { nvidiaSmi: 15, nvidiaSmiSays: "" },
];

const anyFacts: fc.Arbitrary<HostFacts> = fc
  .record({
    device: fc.constantFrom(...devices),
    count: fc.constantFrom(0, 1, 2, 4, 8),
    system: fc.constantFrom(...systems),
    driver: fc.constantFrom(...smi),
    nvSwitch: fc.boolean(),
    privileged: fc.boolean(),
    secureBoot: fc.boolean(),
    foreignModule: fc.constantFrom("", "nouveau", "nova_core"),
    moduleLoaded: fc.boolean(),
    python: fc.constantFrom("", "3.8.10", "3.9.16", "3.10.12", "3.12.0rc1", "3.12.3", "3.15.0"),
    pythonVenv: fc.boolean(),
    pythonHeaders: fc.boolean(),
    compiler: fc.boolean(),
    rootFreeMiB: fc.constantFrom(500, 5000, 50_000),
    freeMiB: fc.constantFrom(100, 5000, 50_000),
    stores: fc.array(fc.boolean(), { maxLength: 4 }),
    weightsMounted: fc.boolean(),
  })
  .map(({ device, count, system: [os, osVersion], driver, nvSwitch, stores, ...rest }) => {
    const facts = bareHost(Array<string>(count).fill(device), {
      os,
      osVersion,
      ...driver,
      ...rest,
    });
    const bridge = {
      address: "0000:b0:00.0",
      device: "22a3",
      class: "068000",
      subsystemDevice: "",
      driver: "",
    };
    const gpu = { ...hostFacts().gpus[0]!, name: `NVIDIA ${gpusOnBus(facts)[0]?.model ?? "GPU"}` };
    return {
      ...facts,
      pci: nvSwitch ? [...facts.pci, bridge] : facts.pci,
      gpus:
        driver.nvidiaSmi === 0
          ? Array.from({ length: count }, (_, index) => ({ ...gpu, index }))
          : [],
      instanceStores: stores.map((used, index) => ({
        path: `/dev/nvme${index + 1}n1`,
        bytes: 2 ** 38,
        used,
      })),
    };
  });

const anyWish: fc.Arbitrary<Omit<BootstrapWish, "gpu">> = fc.record({
  engine: fc.constantFrom("llama.cpp", "vllm", "none"),
  driver: fc.option(
    fc.record({
      branch: fc.option(fc.constantFrom(550, 570, 580, 595, 620), { nil: undefined }),
      modules: fc.option(fc.constantFrom("open" as const, "closed" as const), { nil: undefined }),
      replace: fc.boolean(),
    }),
    { nil: undefined },
  ),
  torch: fc.option(fc.constantFrom("2.0", "2.9", "newest"), { nil: undefined }),
  containers: fc.boolean(),
});

function wished(facts: HostFacts, rest: Omit<BootstrapWish, "gpu">): BootstrapWish {
  const [first] = gpusOnBus(facts);
  return { gpu: { model: first?.model ?? "", count: facts.pciGpus }, ...rest };
}

const scripts = (steps: readonly BootstrapStep[]) =>
  steps.flatMap(({ ways }) => ways.map(({ script }) => script));

describe("Every plan of a bootstrap", () => {
  const holds = (property: (facts: HostFacts, wish: BootstrapWish) => void): void => {
    fc.assert(
      fc.property(anyFacts, anyWish, (facts, rest) => {
        property(facts, wished(facts, rest));
      }),
      { numRuns: 500 },
    );
  };

  it("installs no modules that a GPU does not run with", () => {
    holds((facts, wish) => {
      const { steps, refusals, driver } = planBootstrap(facts, wish);
      const installs = scripts(steps).some((script) => script.startsWith("driver-"));
      if (refusals.length > 0 || !installs) return;
      for (const { architecture } of gpusOnBus(facts)) {
        if (architecture === "Blackwell") assert.equal(driver.modules, "open");
        if (architecture === "Volta") {
          assert.equal(driver.modules, "closed");
          assert.ok(driver.branch <= 580);
        }
        assert.notEqual(architecture, "before Volta");
      }
    });
  });

  it("has each step once, after those that it waits for", () => {
    holds((facts, wish) => {
      const { steps } = planBootstrap(facts, wish);
      const seen = new Set<string>();
      for (const { name, after } of steps) {
        assert.ok(!seen.has(name), name);
        for (const before of after) assert.ok(seen.has(before), `${name} before ${before}`);
        seen.add(name);
      }
    });
  });

  it("lets only one step at a time install packages", () => {
    holds((facts, wish) => {
      for (const { ways, usesPackages } of planBootstrap(facts, wish).steps) {
        const installs = ways.some(({ script }) =>
          /^(sources|driver-|fabric|containers|interpreter-dnf)/.test(script),
        );
        if (installs) assert.equal(usesPackages, true);
      }
    });
  });

  it("makes environments with a Python that is there or brought, and installs nothing for it without root", () => {
    holds((facts, wish) => {
      const { steps, python } = planBootstrap(facts, wish);
      const makes = wish.engine === "vllm" || wish.torch !== undefined;
      assert.equal(python === undefined, !makes);
      const interpreter = steps.find(({ name }) => name === "interpreter");
      assert.equal(interpreter === undefined, (python?.source ?? "system") === "system");
      if (interpreter === undefined) return;
      assert.ok(!interpreter.asRoot || facts.privileged);
      for (const { name, after } of steps)
        if (name === "python" || name === "runtime") assert.ok(after.includes("interpreter"), name);
    });
  });

  it("runs vLLM on no Python that it is not made for", () => {
    holds((facts, wish) => {
      const { python, refusals } = planBootstrap(facts, { ...wish, engine: "vllm" });
      if (refusals.length > 0) return;
      const [, minor = "0"] = (python?.version ?? "").split(".");
      assert.ok(Number(minor) >= 11 && Number(minor) <= 14, python?.version);
    });
  });

  it("replaces no driver that works unless it is told to", () => {
    holds((facts, wish) => {
      if (facts.nvidiaSmi !== 0 || wish.driver?.replace === true) return;
      const { steps, driver } = planBootstrap(facts, wish);
      assert.ok(!scripts(steps).some((script) => script.startsWith("driver-")));
      assert.deepEqual(driver.fallbacks, []);
    });
  });

  it("compiles nothing under Secure Boot, and formats no disk that is in use", () => {
    holds((facts, wish) => {
      const { steps, storage } = planBootstrap(facts, wish);
      if (facts.secureBoot)
        assert.ok(!scripts(steps).some((script) => /^driver-(dkms|dnf)/.test(script)));
      for (const disk of storage.disks)
        assert.ok(facts.instanceStores.some(({ path, used }) => path === disk && !used));
      if (facts.weightsMounted) assert.deepEqual(storage.disks, []);
    });
  });

  it("runs the fabric manager before it verifies, and nowhere without NVSwitch", () => {
    holds((facts, wish) => {
      const { steps, fabricManager } = planBootstrap(facts, wish);
      const verify = steps.find(({ name }) => name === "verify");
      if (fabricManager && verify !== undefined) assert.ok(verify.after.includes("fabric-manager"));
      const bridges = facts.pci.some(({ device }) => device === "22a3");
      const boards = facts.pci.filter(({ device }) => /^(29|31)/.test(device)).length > 1;
      if (!bridges && !boards) assert.equal(fabricManager, false);
    });
  });

  it("gives every choice a reason, and every refusal something to do", () => {
    holds((facts, wish) => {
      const plan = planBootstrap(facts, wish);
      for (const why of [
        plan.driver.why,
        plan.driver.modulesWhy,
        plan.storage.why,
        plan.reboot.why,
      ])
        assert.notEqual(why, "");
      for (const { ways } of plan.steps) for (const { why } of ways) assert.notEqual(why, "");
      for (const { remedy, code } of plan.refusals)
        assert.match(`${code} ${remedy}`, /^E_\w+ .+\.$/);
      assert.equal(planBootstrap(facts, wish).steps.length, plan.steps.length);
    });
  });

  it("names a driver step, or a refusal, wherever a GPU is asked for", () => {
    holds((facts, wish) => {
      const { steps, refusals } = planBootstrap(facts, wish);
      if (wish.gpu.count === 0) return;
      assert.ok(refusals.length > 0 || steps.some(({ name }) => name === "driver"));
    });
  });
});
