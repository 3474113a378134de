import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { Workshop } from "../provider/bootstrap/workshop.ts";

const kernel = "6.1.134-150.224.amzn2023.x86_64";
const port = 8990;
const mirror = `http://127.0.0.1:${port}/nvidia`;
const start = { os: "amazon", behaviour: { "kernel-release": kernel } } as const;

/** The steps of Amazon Linux 2023, with the dnf and rpm that it has, on a Debian that says that it is one. */
describe("A bootstrap of Amazon Linux 2023", () => {
  const shop = new Workshop();
  let keyringSha256: string;
  before(async function () {
    await shop.open(this, "bookworm-dnf", 24);
    await shop.machine.startPythonMirror(port + 1);
    const script = new URL("../provider/bootstrap/amazon-repository.sh", import.meta.url);
    const text = (await readFile(script)).toString("base64");
    const debian = `http://127.0.0.1:${shop.repository.port}`;
    await shop.machine.begin(start);
    await shop.machine.root(
      `base64 -d <<<${text} >/root/amazon.sh; bash /root/amazon.sh ${kernel} ${port} ${debian} >/root/amazon.log 2>&1 || { tail -n 20 /root/amazon.log >&2; exit 1; }`,
    );
    const sum = await shop.machine.root(
      "sha256sum </srv/amazon/nvidia/amzn2023/x86_64/D42D0685.pub",
    );
    keyringSha256 = sum.slice(0, 64);
  });
  after(() => shop.close());

  /** Back to an Amazon Linux on which nothing is installed. */
  const begin = async (more: Readonly<Record<string, string>> = {}) => {
    await shop.machine.begin({ ...start, behaviour: { ...start.behaviour, ...more } });
    await shop.machine.root(`
      rpm -qa | { grep -v '^gpg-pubkey' || true; } | xargs -r rpm -e --nodeps 2>/dev/null; rpm -e --allmatches gpg-pubkey 2>/dev/null || true
      rm -rf /etc/yum.repos.d/berth-nvidia.repo /etc/pki/rpm-gpg /etc/dnf/modules.d/* /var/cache/dnf/* /etc/dnf/plugins/versionlock.list
      touch /etc/dnf/plugins/versionlock.list
    `);
  };
  const bootstrap = (changes = {}) =>
    shop.bootstrap({ mirror: { url: mirror, keyringSha256 }, ...changes });
  const traces = `
    rpm -qa | sort | sha256sum
    find /opt/berth /etc /usr/lib/fake-driver -not -path '*/steps/*' -type f -printf '%p %T@\\n' | sort | sha256sum
  `;

  it("takes the wanted branch though a newer one is there, NVIDIA's dkms, and changes nothing the second time", async () => {
    await begin();
    const done = await bootstrap({ containers: true });
    assert.equal(done.facts.os, "amzn");
    assert.deepEqual(
      done.steps.filter(({ changed }) => changed).map(({ name }) => name),
      ["prepare", "sources", "driver", "containers"],
    );
    assert.equal(done.verified.gpus[0]?.driverVersion, "580.126.09");
    assert.equal(done.verified.cuda, "real");
    const installed = await shop.machine.root("rpm -qa");
    assert.match(installed, /dkms-3\.2-1[^]*/);
    assert.doesNotMatch(installed, /dkms-3\.9|595\.71/);
    assert.match(installed, new RegExp(`kernel-devel-${kernel.replaceAll(".", "\\.")}`));
    await shop.machine.root("[ ! -e /etc/fake/wrong-dkms ]");
    assert.match(await shop.machine.root("dnf -q versionlock list"), /nvidia-open-0:580\.126\.09/);
    const before = await shop.machine.root(traces);
    const again = await bootstrap({ containers: true });
    assert.deepEqual(
      again.steps.filter(({ changed }) => changed),
      [],
    );
    assert.equal(await shop.machine.root(traces), before);
  });

  it("makes vLLM's environment with Amazon's python3.12, beside the system's own", async () => {
    await begin({ python: "3.9.16" });
    const done = await bootstrap({ engine: "vllm" });
    assert.equal(done.facts.python, "3.9.16");
    assert.ok(done.lines.some((line) => line.startsWith("Python: python3.12 of Amazon Linux")));
    const installed = await shop.machine.root("rpm -qa");
    for (const name of ["python3.12-3", "python3.12-devel", "gcc-c++"])
      assert.ok(installed.includes(name), name);
    const config = await shop.machine.root("cat /opt/berth/engines/vllm-0.33.0/pyvenv.cfg");
    assert.match(config, /^home = \/srv\/python\/bin$/m);
    const before = await shop.machine.root(traces);
    const again = await bootstrap({ engine: "vllm" });
    assert.deepEqual(
      again.steps.filter(({ changed }) => changed),
      [],
    );
    assert.equal(await shop.machine.root(traces), before);
  });

  it("believes no other key", async () => {
    await begin();
    const other = { url: mirror, keyringSha256: "0".repeat(64) };
    await assert.rejects(bootstrap({ mirror: other }), /E_REPO_KEY/);
    // NVIDIA's own fingerprint, which the test's key has not.
    await assert.rejects(bootstrap({ mirror: { url: mirror } }), /E_REPO_KEY/);
    assert.equal(await shop.machine.root("rpm -qa"), "");
  });

  it("names a kernel whose headers the archive no longer has", async () => {
    await begin({ "kernel-release": "6.1.1-1.amzn2023.x86_64" });
    await assert.rejects(bootstrap(), /E_HEADERS/);
  });

  it("waits for whoever installs, and names who does not let go", async () => {
    await begin();
    const hold = (seconds: number) =>
      shop.machine.root(`
        cat >/usr/local/bin/holder <<'HOLD'
import dnf, sys, time
from dnf import lock
with lock.build_rpmdb_lock(dnf.Base().conf.persistdir, True):
    open("/run/held", "w").close()
    time.sleep(float(sys.argv[1]))
HOLD
        rm -f /run/held
        systemd-run --quiet --collect python3 /usr/local/bin/holder ${seconds}
        while [ ! -e /run/held ]; do sleep 0.05; done
      `);
    await hold(60);
    const impatient = { waits: { lockSeconds: 1, retrySeconds: 0 } };
    await assert.rejects(bootstrap(impatient), (error: Error & { problems: string[] }) => {
      assert.match(error.message, /E_LOCK_APT/);
      assert.match(error.problems.join("\n"), /PID \d+ is: python3/);
      return true;
    });
    await shop.machine.root("systemctl stop 'run-*.service'");
    await hold(3);
    assert.equal((await bootstrap()).verified.cuda, "real");
  });

  it("names a repository that cannot be reached", async () => {
    await begin();
    await shop.machine.root("systemctl stop amazon-repository");
    try {
      await assert.rejects(bootstrap(), /E_NETWORK/);
    } finally {
      await shop.machine.root(
        `systemd-run --quiet --unit=amazon-repository python3 -m http.server ${port} --bind 127.0.0.1 --directory /srv/amazon`,
      );
    }
  });
});
