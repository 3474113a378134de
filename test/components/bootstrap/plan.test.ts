import assert from "node:assert/strict";
import { parseFacts, type HostFacts } from "../../../components/bootstrap/facts.ts";
import { planBootstrap, refuseGpus } from "../../../components/bootstrap/plan.ts";

const deepLearningImage = `os=ubuntu
os_version=22.04
platform=Linux
architecture=x86_64
kernel=6.8.0-1063-aws
boot_id=8c1f
user=ubuntu
root=no
sudo=yes
systemd=yes
cloud_init=yes
apt=yes
emulated=no
cpus=4
memory_mib=15765
free_mib=51200
pci_gpus=1
module=loaded
module_version=580.126.09
nvidia_smi=0
gpu=0, NVIDIA A10G, GPU-6a0e, 23028, 580.126.09
`;

function facts(changes: Partial<HostFacts> = {}): HostFacts {
  return { ...parseFacts(deepLearningImage), ...changes };
}
const wish = { gpu: { model: "A10G", count: 1 }, engine: "vllm" };

describe("parseFacts", () => {
  it("reads what the script tells", () => {
    const read = facts();
    assert.equal(read.privileged, true);
    assert.equal(read.nvidiaSmi, 0);
    assert.deepEqual(read.gpus, [
      {
        index: 0,
        name: "NVIDIA A10G",
        uuid: "GPU-6a0e",
        memoryMiB: 23028,
        driverVersion: "580.126.09",
      },
    ]);
  });

  it("takes no GPU from a line that is none", () => {
    assert.deepEqual(
      parseFacts("nvidia_smi=0\ngpu=No devices were found\ngpu=0, A10G, u, [N/A], 5\n").gpus,
      [],
    );
  });

  it("counts what is missing as absent", () => {
    const none = parseFacts("");
    assert.equal(none.nvidiaSmi, "absent");
    assert.equal(none.privileged, false);
  });
});

describe("planBootstrap", () => {
  it("only verifies a driver that answers", () => {
    const plan = planBootstrap(facts(), wish);
    assert.equal(plan.driver.strategy, "preinstalled");
    assert.equal(plan.refusal, undefined);
  });

  it("leaves drivers alone when no GPU is asked for", () => {
    const plan = planBootstrap(facts({ nvidiaSmi: "absent", gpus: [] }), {
      ...wish,
      gpu: { model: "", count: 0 },
    });
    assert.equal(plan.driver.strategy, "none");
    assert.equal(plan.refusal, undefined);
  });

  const refusals: readonly [string, Partial<HostFacts>, string, string][] = [
    ["no GPU on the bus", { nvidiaSmi: "absent", pciGpus: 0 }, "E_NO_GPU", "precompiled"],
    ["no driver on Ubuntu", { nvidiaSmi: "absent" }, "E_DRIVER", "precompiled"],
    ["no driver on another system", { nvidiaSmi: "absent", os: "amzn" }, "E_DRIVER", "dkms"],
    [
      "a driver that is not loaded",
      { nvidiaSmi: 9, nvidiaSmiSays: "couldn't communicate" },
      "E_DRIVER",
      "precompiled",
    ],
    [
      "a module of another version",
      {
        nvidiaSmi: 18,
        nvidiaSmiSays: "Failed to initialize NVML: Driver/library version mismatch",
      },
      "E_MISMATCH",
      "precompiled",
    ],
  ];
  for (const [what, changes, code, strategy] of refusals) {
    it(`refuses ${what} with ${code} and says what to do`, () => {
      const plan = planBootstrap(facts({ gpus: [], ...changes }), wish);
      assert.equal(plan.driver.strategy, strategy);
      assert.equal(plan.refusal?.code, code);
      assert.match(plan.refusal.remedy, /\.$/);
    });
  }

  it("refuses a disk with no room", () => {
    assert.equal(planBootstrap(facts({ freeMiB: 300 }), wish).refusal?.code, "E_DISK");
  });
});

describe("refuseGpus", () => {
  const [gpu] = facts().gpus;
  it("takes the model's short name for NVIDIA's long one", () => {
    assert.equal(
      refuseGpus([{ ...gpu!, name: "NVIDIA H100 80GB HBM3" }], { model: "H100", count: 1 }),
      undefined,
    );
    assert.equal(refuseGpus([{ ...gpu!, name: "Tesla T4" }], { model: "T4", count: 1 }), undefined);
  });

  it("tells a missing GPU from a wrong one", () => {
    assert.equal(refuseGpus([gpu!], { model: "A10G", count: 4 })?.code, "E_GPU_MISSING");
    assert.equal(refuseGpus([gpu!, gpu!], { model: "A10G", count: 1 })?.code, "E_GPU_COUNT");
    assert.equal(refuseGpus([gpu!], { model: "L4", count: 1 })?.code, "E_GPU_MODEL");
  });
});
