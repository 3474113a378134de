import assert from "node:assert/strict";
import { join } from "node:path";
import { Started } from "../support/tier.ts";
import { Workshop } from "../provider/bootstrap/workshop.ts";
import { ExistingHostStack } from "./existing-host-stack.ts";

/** Somebody's own driver: installed without berth, held by nobody. */
const ownDriver = `
  apt-get -qq update
  apt-get -qq -y install linux-modules-nvidia-580-server-open-$(uname -r) nvidia-utils-580-server >/dev/null
  modprobe nvidia; modprobe nvidia-uvm
`;

/** All that a machine is: packages and their holds, units, and every file but what a system writes by itself. */
const traces = `
  dpkg-query -W -f '\${Package} \${Version} \${Status}\\n'
  apt-mark showhold
  systemctl list-unit-files --plain --no-legend | awk '{ print $1, $2 }'
  systemctl list-units --plain --no-legend --type=service,timer | awk '!/session|user|ssh@|run-/ { print $1, $3 }'
  find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/tmp -o -path /var/log -o -path /var/cache \\
    -o -path /var/lib/systemd -o -path /var/lib/sudo -o -path /etc/fake \\) -prune -o -type f -printf '%p %s %T@\\n' -o -type d -printf '%p\\n'
`;

describe("berth on a whole system that is somebody's own", function () {
  this.timeout(600_000);
  const shop = new Workshop();
  const started = new Started();
  let stack: ExistingHostStack;

  before(async function () {
    await shop.open(this);
    const { clientKey, hostKey } = shop.machine;
    const keys = { clientKey: clientKey.privateKey, hostKey };
    stack = started.use(await ExistingHostStack.make("dev-system", keys));
  });
  after(async () => {
    await started.stop();
    await shop.close();
  });

  it("leaves a driver that works alone, serves, and gives the machine back as it was", async () => {
    await shop.machine.begin();
    await shop.machine.root(ownDriver);
    const before = new Set((await shop.machine.root(traces)).split("\n"));
    assert.ok(before.size > 1000, `${before.size} traces`);
    const { host, port } = shop.machine.address;
    const made = await stack.berth(
      ...["init", "--model", "demo-llama-60m", "--owner", "ada@example.org", "--gpus", "1 x L4"],
      ...["--host", `ubuntu@${host}:${port}`, "--host-key", join(stack.folder, "machine.pub")],
      ...["--weights-folder", join(stack.folder, "model")],
    );
    assert.equal(made.code, 0, made.err);
    const up = await stack.berth("up");
    assert.equal(up.code, 0, up.out + up.err);
    const steps = await shop.machine.root("ls /opt/berth/steps; systemctl is-active berth-model");
    assert.doesNotMatch(steps, /sources-|driver-precompiled|driver-dkms/);
    assert.match(steps, /\nactive\n/);
    const again = await stack.berth("up");
    assert.equal(again.code, 0, again.err);
    assert.doesNotMatch(again.out, /^ +(made|changed|replaced) /m);
    const down = await stack.berth("down", "--yes");
    assert.equal(down.code, 0, down.out + down.err);
    assert.match(down.out, /stays +nothing of berth's/);
    const left = new Set((await shop.machine.root(traces)).split("\n"));
    const changes = [
      ...[...left].filter((line) => !before.has(line)).map((line) => `+ ${line}`),
      ...[...before].filter((line) => !left.has(line)).map((line) => `- ${line}`),
    ];
    assert.deepEqual(changes, []);
  });
});
