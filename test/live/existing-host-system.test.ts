import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repository, stackFilePath } from "../../scripts/adapters/repository.ts";
import { writeDemoModel } from "../../scripts/demo/model/write-model.ts";
import { Workshop } from "../provider/bootstrap/workshop.ts";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

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
  const stack = `dev-system-${process.pid}`;
  const shop = new Workshop();
  let folder: string;

  function berth(...words: readonly string[]): Promise<Ended> {
    const env = {
      ...process.env,
      AWS_ENDPOINT_URL: undefined,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_EC2_METADATA_DISABLED: "true",
      HOME: folder,
      XDG_CACHE_HOME: join(process.env["HOME"] ?? "/root", ".cache"),
      PULUMI_BACKEND_URL: `file://${folder}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      BERTH_SSH_KEY_FILE: join(folder, "key"),
      BERTH_SSH_PRIVATE_KEY: undefined,
    };
    const [command = "", ...rest] = words;
    const engine = command === "init" ? [] : ["--engine", "offline"];
    const args = [command, "--env", stack, ...engine, ...rest];
    return new Promise((resolve) => {
      execFile(join(repository, "scripts/bin/berth"), args, { env }, (error, out, err) => {
        resolve({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, out, err });
      });
    });
  }

  before(async function () {
    await shop.open(this);
    folder = await mkdtemp(join(tmpdir(), "berth-system-"));
    await writeDemoModel(join(folder, "model"));
    const { clientKey, hostKey } = shop.machine;
    await writeFile(join(folder, "key"), clientKey.privateKey, { mode: 0o600 });
    await writeFile(join(folder, "machine.pub"), `${hostKey} root@machine\n`);
  });
  after(async () => {
    await shop.close();
    await rm(folder, { recursive: true, force: true });
    await rm(stackFilePath(stack), { force: true });
  });

  it("leaves a driver that works alone, serves, and gives the machine back as it was", async () => {
    await shop.machine.begin();
    await shop.machine.root(ownDriver);
    const before = new Set((await shop.machine.root(traces)).split("\n"));
    assert.ok(before.size > 1000, `${before.size} traces`);
    const { host, port } = shop.machine.address;
    const made = await berth(
      ...["init", "--model", "demo-llama-60m", "--owner", "ada@example.org", "--gpus", "1 x L4"],
      ...["--host", `ubuntu@${host}:${port}`, "--host-key", join(folder, "machine.pub")],
      ...["--weights-folder", join(folder, "model")],
    );
    assert.equal(made.code, 0, made.err);
    const up = await berth("up");
    assert.equal(up.code, 0, up.out + up.err);
    const steps = await shop.machine.root("ls /opt/berth/steps; systemctl is-active berth-model");
    assert.doesNotMatch(steps, /sources-|driver-precompiled|driver-dkms/);
    assert.match(steps, /\nactive\n/);
    const again = await berth("up");
    assert.equal(again.code, 0, again.err);
    assert.doesNotMatch(again.out, /^ +(made|changed|replaced) /m);
    const down = await berth("down", "--yes");
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
