import assert from "node:assert/strict";
import { onHost } from "../../provider/connection.ts";
import { serveModel, type ServeInputs } from "../../provider/serve-model.ts";
import { makeKey } from "../offline/cloud/machines/support.ts";
import { failsWith } from "../provider/bootstrap/told-failure.ts";
import { Workshop } from "../provider/bootstrap/workshop.ts";
import { operation } from "../provider/support/host.ts";

const gpu = "/run/fake-sys/bus/pci/devices/0000:00:1e.0";

describe("A bootstrap of a host that is not what it should be", () => {
  const shop = new Workshop();
  before(function () {
    return shop.open(this);
  });
  after(() => shop.close());

  it("names a first boot that failed, with cloud-init's own words", async () => {
    await shop.machine.begin();
    const script = "/var/lib/cloud/scripts/per-boot/broken";
    await shop.machine.root(`
      printf '#!/bin/sh\\necho no such volume >&2\\nexit 7\\n' >${script}; chmod +x ${script}
      cloud-init modules --mode final >/dev/null 2>&1 || true`);
    try {
      const told = await failsWith("E_CLOUD_INIT", shop.bootstrap());
      assert.match(told, /cloud-init failed with status 1[^]*scripts.per.boot/i);
      assert.equal(await shop.machine.root("ls -A /usr/lib/fake-driver 2>/dev/null || true"), "");
    } finally {
      await shop.machine.root(`rm ${script}; cloud-init modules --mode final >/dev/null 2>&1`);
    }
  });

  it("names a login user who cannot become root, and leaves the host as it is", async () => {
    await shop.machine.begin();
    await shop.machine.root(`
      id guest >/dev/null 2>&1 || useradd -m -s /bin/bash guest
      install -d -o guest -m 700 /home/guest/.ssh
      install -o guest -m 600 /home/ubuntu/.ssh/authorized_keys /home/guest/.ssh/authorized_keys`);
    const told = await failsWith(
      "E_ROOT",
      shop.bootstrap({}, shop.machine.host({ user: "guest" })),
    );
    assert.match(told, /guest cannot become root without a password, which sources, driver need/);
    assert.equal(await shop.machine.root("ls -A /opt"), "");
  });

  it("sends nothing to a machine that shows another key than the pinned one", async () => {
    await shop.machine.begin();
    const keys = { hostKey: makeKey(), clientKey: shop.machine.clientKey };
    const stranger = shop.machine.host({ keys });
    const logins = async (): Promise<number> =>
      Number(await shop.machine.root("journalctl -u ssh -o cat | grep -c 'Accepted publickey'"));
    const [before, began] = [await logins(), Date.now()];
    const told = await failsWith(
      "E_HOST_KEY",
      onHost(stranger, () => shop.bootstrap({}, stranger)),
    );
    assert.ok(Date.now() - began < 10_000, "it was tried again");
    assert.match(told, /nothing was sent to it[^]*find out what answers at this address/);
    assert.equal((await logins()) - before, 1, "that of this question alone");
  });

  it("names a slice of a GPU before anything is installed", async () => {
    await shop.machine.begin();
    await shop.machine.root(`echo 0x1733 >${gpu}/subsystem_device; echo 0x27b8 >${gpu}/device`);
    await failsWith("E_GRID", shop.bootstrap());
    assert.equal(await shop.machine.root("ls -A /opt"), "");
  });

  it("names GPUs that are too few, too many, or others than planned", async () => {
    await shop.machine.begin();
    await failsWith("E_GPU_MISSING", shop.bootstrap({ gpu: { model: "L4", count: 2 } }));
    await failsWith("E_GPU_MODEL", shop.bootstrap({ gpu: { model: "H100", count: 1 } }));
    await shop.machine.root(`cp -r ${gpu} /run/fake-sys/bus/pci/devices/0000:00:1f.0`);
    await failsWith("E_GPU_COUNT", shop.bootstrap());
  });

  it("names a driver that is not there, on a system where none is installed", async () => {
    await shop.machine.begin({ os: "fedora" });
    const told = await failsWith("E_DRIVER", shop.bootstrap());
    assert.match(told, /nvidia-smi is not installed[^]*Use a machine image that has/);
  });

  it("names another driver that comes back after the reboot", async () => {
    const behaviour = { nouveau: "yes", "busy-nouveau": "yes", "early-nouveau": "yes" };
    await shop.machine.begin({ behaviour });
    const told = await failsWith("E_NOUVEAU", shop.bootstrap());
    assert.match(told, /Find out what loads it again/);
  });

  it("names who has the model server's port", async () => {
    await shop.machine.begin();
    await shop.machine.root(
      "systemd-run --quiet --collect --unit=squatter python3 -m http.server 8000; while ! curl -so /dev/null http://127.0.0.1:8000; do sleep 0.1; done",
    );
    const host = shop.machine.host();
    const inputs: ServeInputs = {
      engine: "vllm",
      modelId: "m",
      dataFolder: "/opt/berth",
      weightsFolder: "/opt/berth/weights",
      weightsVersion: "1",
      port: 8000,
      contextTokens: 512,
      tensorParallel: 1,
      quantise: "none",
      arguments: [],
    };
    const told = await failsWith("E_PORT", serveModel(host, inputs, operation()));
    host.close();
    assert.match(told, /port 8000 of the host is in use by process \d+ \(\/?\S*python3 -m http/);
    await shop.machine.root("systemctl stop squatter");
  });
});
