import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseFacts, type HostFacts } from "../../../components/bootstrap/facts.ts";
import { planBootstrap } from "../../../components/bootstrap/plan.ts";
import { bootstrapPlanLines } from "../../../components/bootstrap/plan-text.ts";
import { refuseGpus } from "../../../components/bootstrap/refuse-gpus.ts";
import type { BootstrapWish } from "../../../components/bootstrap/wish.ts";
import { vllmRelease } from "../../../components/catalogue/vllm-release.ts";
import { factsScript } from "../../../provider/step-scripts.ts";
import { bareHost, deepLearningImage, hostFacts } from "./host-facts.ts";
import { h100Facts } from "./recorded-h100.ts";

const wish: BootstrapWish = { gpu: { model: "A10G", count: 1 }, engine: "vllm" };
const codes = (facts: HostFacts, wanted = wish) =>
  planBootstrap(facts, wanted).refusals.map(({ code }) => code);

describe("parseFacts", () => {
  it("reads which PyTorch and which releases of vLLM the data folder has in full", async () => {
    const folder = await mkdtemp(join(tmpdir(), "berth-facts-"));
    const read = async (): Promise<HostFacts> => {
      const { stdout } = await promisify(execFile)("bash", ["-c", factsScript(), "facts", folder]);
      return parseFacts(stdout);
    };
    try {
      const empty = await read();
      assert.deepEqual([empty.torch, empty.vllm], ["", []]);
      const packages = join(folder, "python/lib/python3.12/site-packages");
      await mkdir(join(packages, "torch-2.9.1+cu130.dist-info"), { recursive: true });
      for (const version of ["0.11.0", "0.33.0"])
        await mkdir(join(folder, `engines/vllm-${version}/bin`), { recursive: true });
      await writeFile(join(folder, "engines/vllm-0.33.0/bin/vllm"), "", { mode: 0o755 });
      const { torch, vllm } = await read();
      assert.deepEqual([torch, vllm], ["2.9.1+cu130", ["0.33.0"]]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("reads what the script tells", () => {
    const read = hostFacts();
    assert.equal(read.privileged, true);
    assert.equal(read.nvidiaSmi, 0);
    assert.equal(read.pciGpus, 1);
    assert.deepEqual(read.pci, [
      {
        address: "0000:00:1e.0",
        device: "2237",
        class: "030200",
        subsystemDevice: "152f",
        driver: "nvidia",
      },
    ]);
    assert.deepEqual(read.instanceStores, [
      { path: "/dev/nvme1n1", bytes: 250_000_000_000, used: false },
    ]);
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
    const lines = "nvidia_smi=0\ngpu=No devices were found\ngpu=0, A10G, u, [N/A], 5\n";
    assert.deepEqual(parseFacts(lines).gpus, []);
  });

  it("counts what is missing as absent", () => {
    const none = parseFacts("");
    assert.equal(none.nvidiaSmi, "absent");
    assert.equal(none.privileged, false);
    assert.deepEqual(none.pci, []);
  });
});

describe("planBootstrap", () => {
  it("finds nothing to do to the driver of a recorded H100", () => {
    const facts = parseFacts(h100Facts);
    const plan = planBootstrap(facts, { gpu: { model: "H100", count: 1 }, engine: "transformers" });
    assert.deepEqual([facts.pciGpus, facts.nvidiaSmi, facts.gpus.length], [1, 0, 1]);
    assert.equal(plan.driver.strategy, "preinstalled");
    assert.deepEqual(plan.refusals, []);
  });

  it("only verifies a driver that answers", () => {
    const plan = planBootstrap(hostFacts(), wish);
    assert.equal(plan.driver.strategy, "preinstalled");
    assert.deepEqual(plan.driver.fallbacks, []);
    assert.equal(plan.reboot.when, "never");
    assert.deepEqual(plan.refusals, []);
    const names = plan.steps.map(({ name }) => name);
    assert.deepEqual(names, ["prepare", "storage", "driver", "runtime", "verify"]);
  });

  it("replaces a driver that works only when it is told to", () => {
    const plan = planBootstrap(hostFacts(), { ...wish, driver: { replace: true } });
    assert.equal(plan.driver.strategy, "precompiled");
    assert.deepEqual(
      plan.driver.fallbacks.map(({ strategy }) => strategy),
      ["dkms"],
    );
  });

  it("leaves drivers alone when no GPU is asked for", () => {
    const none = { ...wish, engine: "llama.cpp", gpu: { model: "", count: 0 } };
    const plan = planBootstrap(bareHost([]), none);
    assert.equal(plan.driver.strategy, "none");
    assert.deepEqual(plan.refusals, []);
    assert.deepEqual(
      plan.steps.map(({ name }) => name),
      ["prepare", "storage", "runtime"],
    );
  });

  const ways: readonly [string, string, string, readonly string[]][] = [
    ["ubuntu", "24.04", "2237", ["driver-precompiled 580 open", "driver-dkms 580 open 12"]],
    ["ubuntu", "22.04", "1db1", ["driver-precompiled 580 closed", "driver-dkms 580 closed 12"]],
    ["debian", "12", "27b8", ["driver-dkms 580 open 12"]],
    ["debian", "13", "2901", ["driver-dkms 580 open 12"]],
    ["ubuntu", "24.04", "2c10", ["driver-precompiled 595 open", "driver-dkms 595 open 12"]],
    ["amzn", "2023", "2237", ["driver-dnf 580 open"]],
  ];
  for (const [os, osVersion, device, expected] of ways) {
    it(`gets a driver for 10de:${device} on ${os} ${osVersion}`, () => {
      const facts = bareHost([device], { os, osVersion });
      const plan = planBootstrap(facts, { ...wish, engine: "llama.cpp" });
      const driver = plan.steps.find(({ name }) => name === "driver");
      assert.deepEqual(
        driver?.ways.map(({ script, args }) => [script, ...args].join(" ")),
        expected,
      );
    });
  }

  it("knows the key's package of every repository that it adds, or says that it does not", () => {
    const toolkit = { ...wish, engine: "llama.cpp", containers: true };
    const sumOf = (os: string, osVersion: string, architecture: string) => {
      const plan = planBootstrap(bareHost(["2237"], { os, osVersion, architecture }), toolkit);
      const sources = plan.steps.find(({ name }) => name === "sources");
      return { sum: sources?.ways[0].args[3], codes: plan.refusals.map(({ code }) => code) };
    };
    const known = [
      ["ubuntu", "22.04", "x86_64"],
      ["ubuntu", "24.04", "x86_64"],
      ["debian", "12", "x86_64"],
      ["debian", "13", "x86_64"],
      ["ubuntu", "24.04", "aarch64"],
    ] as const;
    const sums = known.map(([os, version, architecture]) => sumOf(os, version, architecture));
    assert.equal(new Set(sums.map(({ sum }) => sum)).size, known.length);
    for (const { sum, codes: refused } of sums) {
      assert.match(sum ?? "", /^[0-9a-f]{64}$/);
      assert.deepEqual(refused, []);
    }
    assert.deepEqual(sumOf("debian", "13", "aarch64").codes, ["E_REPO_KEY"]);
  });

  it("adds NVIDIA's repository on Amazon Linux by its key's fingerprint, or by a mirror's sum", () => {
    const facts = bareHost(["2237"], { os: "amzn", osVersion: "2023", pythonVenv: false });
    const sourcesOf = (wanted: Partial<BootstrapWish>) => {
      const plan = planBootstrap(facts, { ...wish, engine: "llama.cpp", ...wanted });
      return plan.steps.find(({ name }) => name === "sources")?.ways[0];
    };
    const repository = "https://developer.download.nvidia.com/compute/cuda/repos/amzn2023/x86_64";
    const fingerprint = "610C7B14E068A878070DA4E99CD0A493D42D0685";
    assert.equal(sourcesOf({})?.script, "sources-dnf");
    assert.deepEqual(sourcesOf({})?.args, [repository, fingerprint]);
    const mirror = { url: "https://mirror.example.org/", keyringSha256: "ab" };
    assert.deepEqual(sourcesOf({ mirror })?.args, [
      "https://mirror.example.org/amzn2023/x86_64",
      "ab",
    ]);
  });

  it("tries the modules of a driver that does not answer before it installs another", () => {
    const says = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.";
    const facts = bareHost(["2237"], { nvidiaSmi: 9, nvidiaSmiSays: says, osVersion: "24.04" });
    const { driver, reboot } = planBootstrap(facts, wish);
    assert.deepEqual(
      [driver, ...driver.fallbacks].map(({ strategy }) => strategy),
      ["preinstalled", "precompiled", "dkms"],
    );
    assert.equal(reboot.when, "if-needed");
  });

  it("runs the fabric manager where the GPUs are behind NVSwitch", () => {
    const facts = bareHost(Array<string>(8).fill("2330"));
    const bridge = { ...facts.pci[0]!, device: "22a3", class: "068000" };
    const wanted = { ...wish, gpu: { model: "H100", count: 8 } };
    const plan = planBootstrap({ ...facts, pci: [...facts.pci, bridge] }, wanted);
    assert.equal(plan.fabricManager, true);
    const verify = plan.steps.find(({ name }) => name === "verify");
    assert.deepEqual(verify?.after, ["prepare", "driver", "fabric-manager"]);
    assert.equal(planBootstrap(facts, wanted).fabricManager, false);
  });

  it("brings Blackwell's switches their subnet manager, which NVIDIA's repository alone has", () => {
    const board = { osVersion: "24.04" };
    const ways = (facts: HostFacts, model: string, containers = false) => {
      const gpu = { model, count: facts.pciGpus };
      const { steps } = planBootstrap(facts, { gpu, engine: "llama.cpp", containers });
      const argsOf = (step: string) => steps.find(({ name }) => name === step)?.ways[0].args;
      return { manager: argsOf("fabric-manager"), sources: argsOf("sources") };
    };
    const b200 = ways(bareHost(Array<string>(8).fill("2901"), board), "B200");
    assert.deepEqual(b200.manager, ["nvlink5"]);
    assert.deepEqual([b200.sources?.[1], b200.sources?.slice(4)], ["nvidia", ["nvlsm*"]]);
    const both = ways(bareHost(Array<string>(8).fill("2901"), board), "B200", true).sources;
    assert.ok(both?.includes("nvlsm*") && both.includes("nvidia-container-toolkit*"));
    const one = ways(bareHost(["2901"], board), "B200");
    assert.deepEqual([one.manager, one.sources?.[1]], [undefined, "own"]);
  });

  it("takes the PyTorch build that the GPU and the driver run", () => {
    const torch = (changes: Partial<HostFacts>, release: string) =>
      planBootstrap(hostFacts(changes), { ...wish, engine: "llama.cpp", torch: release }).torch;
    assert.equal(torch({ python: "3.10.12" }, "2.0")?.cuda, "11.8");
    assert.equal(torch({}, "2.9")?.indexUrl, "https://download.pytorch.org/whl/cu130");
    assert.equal(torch({}, "newest")?.cuda, "13.0");
    const gpus = [{ ...hostFacts().gpus[0]!, driverVersion: "535.183.01" }];
    assert.equal(torch({ gpus }, "2.9")?.cuda, "12.8");
    const volta = bareHost(["1db1"]);
    const wanted = { gpu: { model: "V100", count: 1 }, engine: "llama.cpp", torch: "newest" };
    assert.equal(planBootstrap(volta, wanted).torch?.cuda, "12.6");
  });

  it("stripes the instance's own disks unless they carry something", () => {
    const store = hostFacts().instanceStores[0]!;
    const two = [store, { ...store, path: "/dev/nvme2n1" }];
    assert.deepEqual(planBootstrap(hostFacts({ instanceStores: two }), wish).storage.disks, [
      "/dev/nvme1n1",
      "/dev/nvme2n1",
    ]);
    const used = two.map((disk) => ({ ...disk, used: true }));
    assert.deepEqual(planBootstrap(hostFacts({ instanceStores: used }), wish).storage.disks, []);
  });

  it("puts weights on the file system that a deep-learning image made of the instance's own disks", () => {
    // Disks of a p4d.24xlarge under such an image, as people's lsblk shows them: vg.01-lv_ephemeral at /opt/dlami/nvme.
    const instanceStores = [{ ...hostFacts().instanceStores[0]!, used: true }];
    const imageStorage = parseFacts("image_storage=/opt/dlami/nvme 7130316\n").imageStorage;
    const { storage, steps } = planBootstrap(hostFacts({ instanceStores, imageStorage }), wish);
    assert.match(storage.why, /at \/opt\/dlami\/nvme, with 6963 GiB free/);
    const way = steps.find(({ name }) => name === "storage")?.ways[0];
    assert.deepEqual(way?.args, ["DATA_FOLDER/weights", "/opt/dlami/nvme"]);
    const facts = hostFacts({ instanceStores, imageStorage, weightsMounted: true });
    assert.equal(planBootstrap(facts, wish).storage.imageStorage, undefined);
  });

  it("asks for no room for an environment that is there already, so that a second run is not refused", () => {
    const full = (changes: Partial<HostFacts>) => hostFacts({ freeMiB: 2000, ...changes });
    assert.deepEqual(codes(full({ vllm: ["0.11.0"] })), ["E_DISK"]);
    assert.deepEqual(codes(full({ vllm: ["0.11.0", vllmRelease.version] })), []);
    const own: BootstrapWish = { ...wish, engine: "transformers" };
    const { torch } = planBootstrap(hostFacts(), own);
    const build = torch?.indexUrl.split("/").at(-1) ?? "";
    assert.deepEqual(codes(full({}), own), ["E_DISK"]);
    assert.deepEqual(codes(full({ torch: `${torch?.torch}.1+cpu` }), own), ["E_DISK"]);
    assert.deepEqual(codes(full({ torch: `${torch?.torch}.1+${build}` }), own), []);
  });

  const refusals: readonly [string, HostFacts, BootstrapWish, readonly string[]][] = [
    ["no GPU on the bus", bareHost([]), wish, ["E_NO_GPU"]],
    [
      "a system without a driver",
      bareHost(["2237"], { os: "arch", osVersion: "" }),
      wish,
      ["E_DRIVER"],
    ],
    ["a slice of a GPU", sliced(), { ...wish, gpu: { model: "L4", count: 1 } }, ["E_GRID"]],
    [
      "closed modules on Blackwell",
      bareHost(["2901"]),
      asked("B200", { modules: "closed" }),
      ["E_FLAVOUR"],
    ],
    [
      "open modules on Volta",
      bareHost(["1db1"]),
      asked("V100", { modules: "open" }),
      ["E_FLAVOUR"],
    ],
    ["a branch without the GPU", bareHost(["1db1"]), asked("V100", { branch: 595 }), ["E_FLAVOUR"]],
    [
      "closed modules where they ended",
      bareHost(["2237"]),
      asked("A10G", { branch: 620, modules: "closed" }),
      ["E_FLAVOUR"],
    ],
    [
      "too few GPUs",
      bareHost(["2237", "2237"]),
      { ...wish, gpu: { model: "A10G", count: 4 } },
      ["E_GPU_MISSING"],
    ],
    ["another GPU", bareHost(["1eb8"]), wish, ["E_GPU_MODEL"]],
    ["a disk with no room", hostFacts({ freeMiB: 300 }), wish, ["E_DISK"]],
    [
      "no room for a driver, and no rights",
      bareHost(["2237"], { rootFreeMiB: 900, privileged: false }),
      wish,
      ["E_DISK", "E_ROOT"],
    ],
    [
      "unsigned modules under Secure Boot",
      bareHost(["2237"], { os: "debian", osVersion: "12", secureBoot: true }),
      wish,
      ["E_SECUREBOOT"],
    ],
    ["a GPU that fell off the bus", bareHost(["2237"], { nvidiaSmi: 15 }), wish, ["E_XID_FATAL"]],
    [
      "software newer than the GPU's last code",
      bareHost(["1db1"]),
      { ...asked("V100"), torch: "2.15" },
      ["E_CUDA_COMPAT"],
    ],
    [
      "a Python older than vLLM takes, where there is no other one",
      hostFacts({ python: "3.10.12", architecture: "ppc64le" }),
      wish,
      ["E_PYTHON"],
    ],
    [
      "a driver too old for the build",
      old("520.61.05"),
      { ...wish, torch: "2.9" },
      ["E_CUDA_COMPAT", "E_CUDA_COMPAT"],
    ],
  ];
  for (const [what, facts, wanted, expected] of refusals) {
    it(`refuses ${what} with ${expected.join(", ")} and says what to do`, () => {
      const { refusals: found } = planBootstrap(facts, wanted);
      assert.deepEqual(
        found.map(({ code }) => code),
        expected,
      );
      for (const { remedy } of found) assert.match(remedy, /\.$/);
    });
  }

  it("takes Ubuntu's signed modules under Secure Boot, and no others", () => {
    const { driver } = planBootstrap(bareHost(["2237"], { secureBoot: true }), wish);
    assert.equal(driver.strategy, "precompiled");
    assert.deepEqual(driver.fallbacks, []);
  });

  it("asks an unprivileged user for nothing where a driver works", () => {
    const facts = hostFacts({ privileged: false, instanceStores: [] });
    assert.deepEqual(codes(facts), []);
  });
});

function asked(model: string, driver?: BootstrapWish["driver"]): BootstrapWish {
  return { gpu: { model, count: 1 }, engine: "llama.cpp", driver };
}

function sliced(): HostFacts {
  const facts = bareHost(["27b8"]);
  return { ...facts, pci: facts.pci.map((pci) => ({ ...pci, subsystemDevice: "1733" })) };
}

function old(driverVersion: string): HostFacts {
  return hostFacts({ gpus: [{ ...hostFacts().gpus[0]!, driverVersion }] });
}

describe("bootstrapPlanLines", () => {
  it("gives a reason for each choice", () => {
    const facts = bareHost(["2237"], { os: "ubuntu", osVersion: "24.04" });
    const text = bootstrapPlanLines(facts, planBootstrap(facts, wish)).join("\n");
    assert.match(text, /GPUs {5}1 x A10G \(Ampere\), by the PCI bus/);
    assert.match(text, /driver {3}precompiled: Ubuntu signs modules/);
    assert.match(text, /else dkms: compiled on the host/);
    assert.match(text, /branch 580, open modules \(Ampere: NVIDIA recommends/);
    assert.match(text, /reboot {3}if-needed/);
    assert.match(text, /weights {2}the instance's own disk, 233 GiB/);
  });

  it("says of a refused host only why", () => {
    const text = bootstrapPlanLines(bareHost([]), planBootstrap(bareHost([]), wish)).join("\n");
    assert.match(text, /refused\n {2}E_NO_GPU: /);
    assert.doesNotMatch(text, /steps/);
  });
});

describe("refuseGpus", () => {
  const [gpu] = parseFacts(deepLearningImage).gpus;
  it("takes the model's short name for NVIDIA's long one", () => {
    const h100 = { ...gpu!, name: "NVIDIA H100 80GB HBM3" };
    assert.equal(refuseGpus([h100], { model: "H100", count: 1 }), undefined);
    assert.equal(refuseGpus([{ ...gpu!, name: "Tesla T4" }], { model: "T4", count: 1 }), undefined);
  });

  it("tells a missing GPU from a wrong one", () => {
    assert.equal(refuseGpus([gpu!], { model: "A10G", count: 4 })?.code, "E_GPU_MISSING");
    assert.equal(refuseGpus([gpu!, gpu!], { model: "A10G", count: 1 })?.code, "E_GPU_COUNT");
    assert.equal(refuseGpus([gpu!], { model: "L4", count: 1 })?.code, "E_GPU_MODEL");
  });
});
