import assert from "node:assert/strict";
import { Workshop } from "./workshop.ts";

describe("A bootstrap of a whole machine", () => {
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
    const host = shop.machine.host();
    let roundTrips = 0;
    const run = host.run.bind(host);
    host.run = (...call) => {
      roundTrips += 1;
      return run(...call);
    };
    const again = await shop.bootstrap({}, host);
    // The facts, the folder, and one for each step that takes no longer than two seconds.
    assert.ok(roundTrips <= 10, `${roundTrips} round trips`);
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

  it("reboots once where another driver holds the GPU and does not unload", async () => {
    await shop.machine.begin({ behaviour: { nouveau: "yes", "busy-nouveau": "yes" } });
    const done = await shop.bootstrap();
    assert.equal(done.lines.filter((line) => line.startsWith("rebooting")).length, 1);
    assert.equal(done.verified.cuda, "real");
  });
});
