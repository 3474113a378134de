import assert from "node:assert/strict";
import type { HostFacts } from "../../../components/bootstrap/facts.ts";
import type { GpuReport } from "../../../components/bootstrap/gpu-report.ts";
import { nspawnTier } from "../../../offline/cloud/machines/nspawn.ts";
import { bootstrapHost, type BootstrapInputs } from "../../../provider/bootstrap-host.ts";
import type { StepRecord } from "../../../provider/plan-run.ts";
import { needs } from "../../support/tier.ts";
import { operation } from "../support/host.ts";
import { BareMachine } from "./bare-machine.ts";
import { canBuildPackages, PackageRepository } from "./package-repository.ts";

interface Done {
  readonly facts: HostFacts;
  readonly steps: readonly StepRecord[];
  readonly verified: GpuReport;
  readonly lines: readonly string[];
}

describe("A bootstrap of a whole machine", function () {
  this.timeout(60_000);
  let repository: PackageRepository;
  let machine: BareMachine;
  before(async function () {
    this.timeout(300_000);
    const { ok, why } = await nspawnTier.available();
    needs(this, "nspawn", ok, why);
    needs(
      this,
      "package tools",
      await canBuildPackages(),
      "install dpkg-dev, apt-utils, gnupg and gcc",
    );
    repository = await PackageRepository.start();
    machine = await BareMachine.start(repository);
  });
  after(async () => {
    await machine?.stop();
    await repository?.stop();
  });

  async function bootstrap(changes: Partial<BootstrapInputs> = {}): Promise<Done> {
    const host = machine.host();
    const told = operation();
    try {
      const outputs = await bootstrapHost(
        host,
        {
          gpu: { model: "L4", count: 1 },
          engine: "none",
          dataFolder: "/opt/berth",
          timeoutSeconds: 50,
          waits: { lockSeconds: 20, retrySeconds: 0 },
          rebootSeconds: 40,
          mirror: {
            url: `http://127.0.0.1:${repository.port}`,
            keyringSha256: repository.keyringSha256,
          },
          ...changes,
        },
        told,
      );
      return { ...(outputs as unknown as Done), lines: told.lines };
    } finally {
      host.close();
    }
  }

  /** What a second run must not change. */
  const traces = () =>
    machine.root(`
      dpkg-query -W -f '\${Package} \${Version} \${Status}\\n' | sha256sum
      apt-mark showhold | sha256sum
      find /opt/berth /etc /usr/lib/fake-driver /var/lib/dpkg /var/lib/apt -newermt '2000-01-01' -not -path '*/steps/*' -type f -printf '%p %T@\\n' | sort | sha256sum
      systemctl list-units --all --plain --no-legend --type=timer,service | awk '!/berth-|session|user|ssh@/ { print $1, $3 }' | sort | sha256sum
    `);

  it("installs Ubuntu's precompiled modules, runs a kernel on the GPU, and changes nothing the second time", async () => {
    await machine.begin();
    const done = await bootstrap();
    assert.equal(done.facts.nvidiaSmi, "absent");
    assert.equal(done.verified.cuda, "real");
    assert.equal(done.verified.devices[0]?.computes, true);
    assert.deepEqual(done.verified.findings, []);
    assert.match(await machine.root("apt-mark showhold"), /nvidia-utils-580-server/);
    const before = await traces();
    const again = await bootstrap();
    assert.deepEqual(
      again.steps.map(({ name, changed }) => [name, changed]),
      [
        ["prepare", false],
        ["driver", false],
        ["verify", false],
      ],
    );
    assert.equal(await traces(), before);
  });

  it("compiles NVIDIA's modules on Debian, from its repository with a pinned key", async () => {
    await machine.begin({ os: "debian" });
    const done = await bootstrap();
    assert.equal(done.verified.cuda, "real");
    const list = await machine.root("cat /etc/apt/sources.list.d/berth-nvidia.sources");
    assert.match(list, /debian12\/x86_64/);
  });
});
