import assert from "node:assert/strict";
import { Workshop } from "./workshop.ts";

describe("A bootstrap of a whole machine", function () {
  this.timeout(60_000);
  const shop = new Workshop();
  before(function () {
    return shop.open(this);
  });
  after(() => shop.close());

  /** What a second run must not change. */
  const traces = () =>
    shop.machine.root(`
      dpkg-query -W -f '\${Package} \${Version} \${Status}\\n' | sha256sum
      apt-mark showhold | sha256sum
      find /opt/berth /etc /usr/lib/fake-driver /var/lib/dpkg /var/lib/apt -newermt '2000-01-01' -not -path '*/steps/*' -type f -printf '%p %T@\\n' | sort | sha256sum
      systemctl list-units --all --plain --no-legend --type=timer,service | awk '!/berth-|session|user|ssh@/ { print $1, $3 }' | sort | sha256sum
    `);

  it("installs Ubuntu's precompiled modules, runs a kernel on the GPU, and changes nothing the second time", async () => {
    await shop.machine.begin();
    const done = await shop.bootstrap();
    assert.equal(done.facts.nvidiaSmi, "absent");
    assert.equal(done.verified.cuda, "real");
    assert.equal(done.verified.devices[0]?.computes, true);
    assert.deepEqual(done.verified.findings, []);
    assert.match(await shop.machine.root("apt-mark showhold"), /nvidia-utils-580-server/);
    const before = await traces();
    const again = await shop.bootstrap();
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
    await assert.rejects(
      shop.bootstrap({ waits: { lockSeconds: 1, retrySeconds: 0 } }),
      (error: Error & { problems: string[] }) => {
        assert.match(error.message, /Something else installs packages \(E_LOCK_APT\)/);
        assert.match(error.problems.join("\n"), /is held by process \d+ \(python3\)/);
        return true;
      },
    );
    await shop.machine.root("systemctl stop 'run-*.service' || true");
  });

  it("unloads nouveau, and reboots once where it does not unload", async () => {
    await shop.machine.begin({ behaviour: { nouveau: "yes" } });
    const unloaded = await shop.bootstrap();
    assert.equal(unloaded.facts.foreignModule, "nouveau");
    assert.ok(!unloaded.lines.some((line) => line.startsWith("rebooting")));
    await shop.machine.begin({ behaviour: { nouveau: "yes", "busy-nouveau": "yes" } });
    const rebooted = await shop.bootstrap();
    assert.equal(rebooted.lines.filter((line) => line.startsWith("rebooting")).length, 1);
    assert.equal(rebooted.verified.cuda, "real");
  });
});
