import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { vllmRelease } from "../../components/catalogue/vllm-release.ts";
import { bootstrapHost } from "../../provider/bootstrap-host.ts";
import { Started } from "../support/tier.ts";
import { hostOn, nodeOnPath, operation } from "./support/host.ts";
import { needsSshd, startSshd, type TestSshd } from "./support/sshd.ts";
import type { Host } from "../../provider/adapters/ssh.ts";

/** A stand-in at the last boundary; the real texts and exit statuses are those of nvidia-smi(1). */
const scenarios = {
  good: 'echo "0, NVIDIA L4, GPU-aa, 23034, 580.126.09"',
  missing:
    'echo "0, NVIDIA L4, GPU-aa, 23034, 580.126.09"; echo "1, NVIDIA L4, GPU-bb, 23034, 580.126.09"',
  other: 'echo "0, Tesla T4, GPU-aa, 15360, 580.126.09"',
  down: `echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."; exit 9`,
  mismatch: 'echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18',
} as const;

describe("bootstrapHost", () => {
  let sshd: TestSshd;
  const started = new Started();
  let host: Host;
  let bin: string;
  before(async function () {
    needsSshd(this);
    const path = nodeOnPath.PATH;
    sshd = started.use(
      await startSshd({ PATH: `/tmp/berth-fakes-${String(process.pid)}:${path}` }),
    );
    bin = `/tmp/berth-fakes-${String(process.pid)}`;
    await mkdir(bin, { recursive: true });
    await mkdir(join(sshd.root, "etc"), { recursive: true });
    await writeFile(join(sshd.root, "etc", "berth-emulated"), "");
    const engine = join(sshd.root, "data", "engines", `vllm-${vllmRelease.version}`, "bin");
    await mkdir(engine, { recursive: true });
    await writeFile(join(engine, "vllm"), "#!/bin/sh\n", { mode: 0o755 });
    await writeFile(join(engine, "python"), `#!/bin/sh\necho ${vllmRelease.version}\n`, {
      mode: 0o755,
    });
    host = hostOn(sshd);
    started.use({
      stop: () => {
        host.close();
        return rm(bin, { recursive: true, force: true });
      },
    });
  });
  after(() => started.stop());

  async function bootstrap(scenario: keyof typeof scenarios | "cloud-init", count = 1) {
    const smi = scenarios[scenario === "cloud-init" ? "good" : scenario];
    await writeFile(join(bin, "nvidia-smi"), `#!/bin/bash\n${smi}\n`, { mode: 0o755 });
    const inputs = {
      gpu: { model: "L4", count },
      engine: "vllm",
      dataFolder: "/data",
      timeoutSeconds: 30,
    };
    return bootstrapHost(host, inputs, operation());
  }

  it("verifies an emulated GPU and says that it is one", async () => {
    const done = await bootstrap("good");
    assert.deepEqual(done["verified"], {
      cuda: "emulated",
      devices: [],
      findings: [],
      gpus: [
        {
          index: 0,
          name: "NVIDIA L4",
          uuid: "GPU-aa",
          memoryMiB: 23034,
          driverVersion: "580.126.09",
        },
      ],
    });
  });

  const refusals: readonly [keyof typeof scenarios, number, RegExp][] = [
    ["missing", 4, /nvidia-smi lists 2 GPUs .* and 4 are expected \(E_GPU_MISSING\)/],
    ["other", 1, /GPU 0 is a Tesla T4, and L4 is expected \(E_GPU_MODEL\)/],
    ["down", 1, /nvidia-smi ends with status 9: NVIDIA-SMI has failed .*\(E_DRIVER\)/],
    ["mismatch", 1, /version mismatch.*\(E_MISMATCH\)/],
  ];
  for (const [scenario, count, message] of refusals) {
    it(`refuses GPUs in the state: ${scenario}`, async () => {
      await assert.rejects(bootstrap(scenario, count), message);
    });
  }

  it("goes on after recoverable errors of cloud-init, with a warning, and stops at others", async () => {
    await writeFile(join(bin, "cloud-init"), "#!/bin/sh\nexit 2\n", { mode: 0o755 });
    await bootstrap("cloud-init");
    await writeFile(join(bin, "cloud-init"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    await assert.rejects(bootstrap("cloud-init"), /`prepare` failed .*\(E_CLOUD_INIT\)/);
    await writeFile(join(bin, "cloud-init"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  });

  it("keeps each step's whole log on the host", async () => {
    const error = await bootstrap("other").catch((caught: unknown) => caught);
    assert.ok(error instanceof Error);
    const { readdir } = await import("node:fs/promises");
    const steps = join(sshd.root, "data", "steps");
    const verify = (await readdir(steps)).find((name) => name.startsWith("verify-")) ?? "";
    assert.match(await readFile(join(steps, verify, "log"), "utf8"), /@gpu 0, Tesla T4/);
    assert.equal(dirname(join(steps, verify)), steps);
  });
});
