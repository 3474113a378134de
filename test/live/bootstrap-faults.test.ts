import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { CutProxy } from "../provider/support/cut-proxy.ts";
import { end } from "../provider/support/sshd.ts";
import { failsWith, wentOnPast } from "../provider/bootstrap/told-failure.ts";
import { Workshop } from "../provider/bootstrap/workshop.ts";

describe("A bootstrap that meets a fault", () => {
  const shop = new Workshop();
  before(function () {
    return shop.open(this);
  });
  after(() => shop.close());

  it("compiles NVIDIA's modules on Debian, from its repository with a pinned key", async () => {
    await shop.machine.begin({ os: "debian" });
    const done = await shop.bootstrap();
    assert.equal(done.verified.cuda, "real");
    const list = await shop.machine.root("cat /etc/apt/sources.list.d/berth-nvidia.sources");
    assert.match(list, /debian12\/x86_64/);
  });

  it("waits for whoever holds apt's locks, and names the holder when it does not let go", async () => {
    await shop.machine.begin();
    const hold = (seconds: number, lock: string) =>
      shop.machine.root(`
        cat >/usr/local/bin/holder <<'HOLD'
import fcntl, sys, time
with open(sys.argv[1], "w") as lock:
    fcntl.lockf(lock, fcntl.LOCK_EX)
    open("/run/held", "w").close()
    time.sleep(float(sys.argv[2]))
HOLD
        rm -f /run/held
        systemd-run --quiet --collect python3 /usr/local/bin/holder ${lock} ${seconds}
        while [ ! -e /run/held ]; do sleep 0.05; done
      `);
    await hold(3, "/var/lib/apt/lists/lock");
    assert.equal((await shop.bootstrap()).verified.cuda, "real");
    await shop.machine.begin();
    await hold(30, "/var/lib/dpkg/lock-frontend");
    assert.match(
      await failsWith("E_LOCK_APT", shop.bootstrap({ waits: { lockSeconds: 1, retrySeconds: 0 } })),
      /is held by process \d+ \(python3\)/,
    );
    await shop.machine.root("systemctl stop 'run-*.service' || true");
  });

  it("unloads another driver that holds the GPU, without a reboot", async () => {
    await shop.machine.begin({ behaviour: { nouveau: "yes" } });
    const done = await shop.bootstrap();
    assert.equal(done.facts.foreignModule, "nouveau");
    assert.ok(!done.lines.some((line) => line.startsWith("rebooting")));
  });

  it("takes the next way when the archive has no modules for the kernel", async () => {
    await shop.machine.begin();
    const done = await shop.bootstrap({ driver: { branch: 570 } });
    wentOnPast("E_HELD", done);
    assert.equal(done.verified.cuda, "real");
    assert.match(await shop.machine.root("cat /etc/dkms/nvidia.conf"), /-j\d+/);
  });

  it("takes the next way when the mirror has lost a package for good, and waits when it has not", async () => {
    await shop.machine.begin();
    shop.repository.missing.set("nvidia-headless-no-dkms-580-server-open", 1);
    const healed = await shop.bootstrap();
    assert.deepEqual(
      healed.lines.filter((line) => line.includes("does not lead")),
      [],
    );
    await shop.machine.begin();
    shop.repository.missing.set("nvidia-headless-no-dkms-580-server-open", 1000);
    const lost = await shop.bootstrap();
    wentOnPast("E_REPO_SYNC", lost);
    assert.equal(lost.verified.cuda, "real");
  });

  it("names an archive that cannot be found", async () => {
    await shop.machine.begin();
    await shop.machine.root(
      "sed -i s/127.0.0.1/archive.invalid/ /etc/apt/sources.list.d/test.list",
    );
    await failsWith("E_NETWORK", shop.bootstrap());
  });

  it("finishes what dpkg left half done", async () => {
    await shop.machine.begin({ behaviour: { flaky: "yes" } });
    await shop.machine.root(
      "apt-get -qq update; apt-get -qq -y install flaky >/dev/null 2>&1 || true",
    );
    await failsWith("E_DPKG_INTERRUPTED", shop.bootstrap());
    await shop.machine.root("rm /etc/fake/flaky");
    assert.equal((await shop.bootstrap()).verified.cuda, "real");
    assert.match(
      await shop.machine.root("dpkg-query -W -f '${db:Status-Status}' flaky"),
      /^installed/,
    );
  });

  it("names a full disk", async () => {
    await shop.machine.begin();
    await shop.machine.root(
      "mount -t tmpfs -o size=16k tmpfs /var/cache/apt/archives; mkdir -p /var/cache/apt/archives/partial",
    );
    try {
      await failsWith("E_DISK", shop.bootstrap());
    } finally {
      await shop.machine.root("umount /var/cache/apt/archives");
    }
  });

  it("refuses a repository whose key is not the pinned one", async () => {
    await shop.machine.begin({ os: "debian" });
    const mirror = {
      url: `http://127.0.0.1:${shop.repository.port}`,
      keyringSha256: "0".repeat(64),
    };
    await failsWith("E_REPO_KEY", shop.bootstrap({ mirror }));
  });

  it("loads the modules anew when they are not the installed driver's", async () => {
    await shop.machine.begin();
    await shop.bootstrap();
    await shop.machine.root("echo 570.86.15 >/run/fake-sys/module/nvidia/version");
    const done = await shop.bootstrap();
    assert.equal(done.facts.nvidiaSmi, 18);
    assert.equal(done.verified.gpus[0]?.driverVersion, "580.126.09");
    await shop.machine.root(
      "echo 570.86.15 >/run/fake-sys/module/nvidia/version; echo yes >/etc/fake/busy-nvidia",
    );
    const rebooted = await shop.bootstrap();
    assert.equal(rebooted.lines.filter((line) => line.startsWith("rebooting")).length, 1);
    assert.equal(rebooted.verified.cuda, "real");
  });

  const refused: readonly [string, Record<string, string>, string][] = [
    ["modules that Secure Boot rejects", { "secure-boot": "yes" }, "E_SECUREBOOT"],
    [
      "a GPU whose firmware hangs",
      { "kernel-says": "NVRM: GPU 0000:00:1e.0: RmInitAdapter failed! (0x62:0x0:1860)" },
      "E_GSP",
    ],
    [
      "a GPU that the kernel does not see",
      { "kernel-says": "NVRM: No NVIDIA GPU found." },
      "E_NO_GPU",
    ],
    [
      "a GPU that open modules do not drive",
      {
        "kernel-says":
          "NVRM: installed in this system is not supported by open nvidia.ko because it does not include the required GPU System Processor (GSP).",
      },
      "E_FLAVOUR",
    ],
    ["a fabric that is not up", { cuda: "802" }, "E_FABRIC"],
    [
      "a GPU that broke in use",
      {
        cuda: "999",
        "kernel-told":
          "NVRM: Xid (PCI:0000:00:1e): 79, pid=<unknown>, name=<unknown>, GPU has fallen off the bus.",
      },
      "E_XID_FATAL",
    ],
    ["a library that does not fit", { cuda: "803" }, "E_MISMATCH"],
    ["a build newer than the driver", { cuda: "804" }, "E_CUDA_COMPAT"],
    ["a GPU that computes wrongly", { cuda: "wrong" }, "E_CUDA"],
  ];
  for (const [what, behaviour, code] of refused) {
    it(`names ${what}`, async () => {
      await shop.machine.begin({ os: "debian", behaviour });
      await failsWith(code, shop.bootstrap());
    });
  }

  it("tells of memory errors and slow memory, and goes on", async () => {
    await shop.machine.begin({
      behaviour: { cuda: "slow", ecc: "3", clocks: "0x0000000000000048" },
    });
    const { verified } = await shop.bootstrap();
    assert.equal(verified.findings.length, 3);
    assert.match(verified.findings.join("\n"), /GPU 0 runs below its clock: it is too hot/);
    assert.match(verified.findings.join("\n"), /3 uncorrected memory errors[^]*copies at \d/);
  });

  it("tells of a fatal error in the kernel's log where CUDA computes all the same", async () => {
    const line = "NVRM: Xid (PCI:0000:00:1e): 48, pid=1, name=python3, DBE (double bit error)";
    await shop.machine.begin({ behaviour: { "kernel-told": line } });
    const { verified } = await shop.bootstrap();
    assert.deepEqual(verified.findings, [
      `the driver reported an error that is fatal by NVIDIA's catalogue: ${line}`,
    ]);
  });

  it("stops a step that waits for an answer, and finishes its package the next time", async () => {
    await shop.machine.begin({ os: "debian", behaviour: { asks: "yes" } });
    const waits = { lockSeconds: 20, retrySeconds: 0, silenceSeconds: 4 };
    assert.match(await failsWith("E_NEEDRESTART", shop.bootstrap({ waits })), /Setting up dkms/);
    await shop.machine.root("rm /etc/fake/asks");
    assert.equal((await shop.bootstrap({ waits })).verified.cuda, "real");
  });

  it("names a compiler that is not the kernel's, by the log of dkms", async () => {
    await shop.machine.begin({ os: "debian", behaviour: { "other-compiler": "yes" } });
    assert.match(await failsWith("E_GCC", shop.bootstrap()), /-ftrivial-auto-var-init=zero/);
  });

  it("names a fabric manager of another version than the driver", async () => {
    await shop.machine.begin({ behaviour: { nvswitch: "yes", "other-manager": "580.200.01" } });
    await failsWith("E_FM_VERSION", shop.bootstrap());
  });

  it("names containers that lose their GPUs", async () => {
    await shop.machine.begin({ os: "debian", behaviour: { "container-lost": "yes" } });
    await failsWith("E_CTR_NVML", shop.bootstrap({ containers: true }));
  });

  it("goes on to the same end after the link was down for a minute", async function () {
    this.timeout(200_000);
    await shop.machine.begin({ behaviour: { pause: "20" } });
    const { host: address, port } = shop.machine.address;
    const proxy = new CutProxy(port, address);
    const through = { address: "127.0.0.1", port: await proxy.start() };
    const host = shop.machine.host({ ...through, patience: { connectMs: 120_000 } });
    const down = setTimeout(() => {
      proxy.shut(true);
    }, 2500);
    const up = setTimeout(() => {
      proxy.shut(false);
    }, 62_500);
    try {
      const done = await shop.bootstrap({ timeoutSeconds: 150 }, host);
      assert.equal(done.verified.cuda, "real");
      assert.ok(proxy.refused > 1, `${proxy.refused} connections were refused`);
    } finally {
      clearTimeout(down);
      clearTimeout(up);
      await proxy.stop();
    }
  });

  it("goes on over cut links to the same end", async () => {
    await shop.machine.begin();
    const { host: address, port } = shop.machine.address;
    const proxy = new CutProxy(port, address);
    const host = shop.machine.host({ address: "127.0.0.1", port: await proxy.start() });
    const cuts = setInterval(
      () => {
        proxy.cut();
      },
      1500 + Math.random() * 1500,
    );
    try {
      const done = await shop.bootstrap({}, host);
      assert.equal(done.verified.cuda, "real");
      assert.ok(proxy.connections > 1);
    } finally {
      clearInterval(cuts);
      await proxy.stop();
    }
  });

  it("installs the fabric manager in the driver's version where there is an NVSwitch, and holds it", async () => {
    await shop.machine.begin({ behaviour: { nvswitch: "yes" } });
    const done = await shop.bootstrap();
    assert.deepEqual(
      done.steps.map(({ name }) => name),
      ["prepare", "sources", "driver", "fabric-manager", "verify"],
    );
    const version = "dpkg-query -W -f '${Version}' nvidia-fabricmanager-580";
    assert.match(await shop.machine.root(version), /^580\.126\.09-1/);
    assert.match(await shop.machine.root("apt-mark showhold"), /nvidia-fabricmanager-580/);
    assert.match(await shop.machine.root("systemctl is-active nvidia-fabricmanager"), /^active/);
  });

  it("installs the subnet manager of Blackwell's switches, and InfiniBand's modules, before it", async () => {
    await shop.machine.begin();
    const devices = "/run/fake-sys/bus/pci/devices";
    await shop.machine.root(`
      echo 0x2901 >${devices}/0000:00:1e.0/device; cp -r ${devices}/0000:00:1e.0 ${devices}/0000:00:1f.0
      echo '127.0.0.1 nvidia.test' >>/etc/hosts`);
    const { port, keyringSha256 } = shop.repository;
    // Another name for the same server: apt tells the two sources apart by it.
    const mirror = { url: `http://nvidia.test:${port}`, keyringSha256 };
    const gpu = { model: "B200", count: 2 };
    // nvidia-smi's stand-in lists one GPU, so the verification is where it ends.
    await failsWith("E_GPU_MISSING", shop.bootstrap({ gpu, mirror }));
    const installed = await shop.machine.root(
      "sed -i /nvidia.test/d /etc/hosts; dpkg-query -W -f '${Package}\n' nvlsm infiniband-diags nvidia-fabricmanager-580 'linux-modules-extra-*'; ls /run/fake-sys/module; cat /etc/modules-load.d/berth-nvlink.conf; rm /etc/modules-load.d/berth-nvlink.conf",
    );
    for (const name of ["nvlsm", "infiniband-diags", "linux-modules-extra-", "ib_umad", "mlx5_ib"])
      assert.ok(installed.includes(name), `${name} in ${installed}`);
  });

  it("names a kernel whose headers the archive no longer has", async () => {
    await shop.machine.begin({ os: "debian", behaviour: { "other-kernel": "yes" } });
    await failsWith("E_HEADERS", shop.bootstrap());
  });

  it("names a module that was not built for the kernel, and installs one that is", async () => {
    await shop.machine.begin();
    await shop.bootstrap();
    await shop.machine.root(
      "rm -r /run/fake-sys/module/nvidia*; touch /etc/fake/kernel-updated; apt-mark unhold linux-modules-nvidia-580-server-open-$(uname -r) >/dev/null; dpkg --purge --force-all linux-modules-nvidia-580-server-open-$(uname -r) >/dev/null 2>&1",
    );
    const done = await shop.bootstrap();
    assert.equal(done.facts.nvidiaSmi, 9);
    wentOnPast("E_NO_MODULE", done);
    assert.equal(done.verified.cuda, "real");
  });

  it("goes on after a reboot in the middle of a step, by whoever", async () => {
    await shop.machine.begin({ behaviour: { pause: "5" } });
    const bootOf = () => shop.machine.root("cat /proc/sys/kernel/random/boot_id");
    const before = await bootOf();
    const running = shop.bootstrap();
    await shop.machine.root("while ! pgrep -f '^sleep 5$' >/dev/null; do sleep 0.1; done");
    await shop.machine.root("systemctl reboot --no-block");
    const done = await running;
    assert.notEqual(await bootOf(), before);
    assert.equal(done.verified.cuda, "real");
    const audit = "dpkg-query -W -f '${db:Status-Status}\\n' | grep -vc '^installed' || true";
    assert.equal((await shop.machine.root(audit)).trim(), "0");
  });

  it("goes on when the client is killed at any moment, to the same end", async () => {
    await shop.machine.begin();
    const begun = "while ! ls -d /opt/berth/steps/prepare-* >/dev/null 2>&1; do sleep 0.1; done";
    for (let kill = 0; kill < 4; kill += 1) {
      const client = shop.client();
      if (kill === 0) await shop.machine.root(begun);
      await sleep(Math.random() * (kill === 0 ? 1000 : 2600));
      await end(client);
    }
    const done = await shop.bootstrap();
    assert.equal(done.verified.cuda, "real");
    const audit = "dpkg-query -W -f '${db:Status-Status}\\n' | grep -vc '^installed' || true";
    assert.equal((await shop.machine.root(audit)).trim(), "0");
  });

  it("says when the host does not come back from a reboot", async () => {
    await shop.machine.begin({ behaviour: { nouveau: "yes", "busy-nouveau": "yes" } });
    await shop.machine.root(
      'printf \'#!/bin/sh\\n[ "$1" = reboot ] || exec /usr/bin/systemctl "$@"\\n\' >/usr/local/bin/systemctl; chmod +x /usr/local/bin/systemctl',
    );
    try {
      await failsWith("E_REBOOT_TIMEOUT", shop.bootstrap({ rebootSeconds: 2 }));
    } finally {
      await shop.machine.root("rm /usr/local/bin/systemctl");
    }
  });
});
