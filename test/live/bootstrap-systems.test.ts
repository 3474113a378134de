import assert from "node:assert/strict";
import { Workshop } from "../provider/bootstrap/workshop.ts";

/** What a second run must not change, on a machine of Debian's family. */
const traces = `
  dpkg-query -W -f '\${Package} \${Version} \${Status}\\n' | sha256sum
  apt-mark showhold | sha256sum
  find /opt/berth /etc /usr/lib/fake-driver /var/lib/dpkg /var/lib/apt -not -path '*/steps/*' -type f -printf '%p %T@\\n' | sort | sha256sum
  systemctl list-units --all --plain --no-legend --type=timer,service | awk '!/berth-|session|user|ssh@/ { print $1, $3 }' | sort | sha256sum
`;

describe("A bootstrap of Debian 13", () => {
  const shop = new Workshop();
  before(function () {
    return shop.open(this, "trixie");
  });
  after(() => shop.close());

  it("compiles NVIDIA's modules from its repository, and changes nothing the second time", async () => {
    await shop.machine.begin({ os: "debian 13" });
    const done = await shop.bootstrap();
    assert.equal(done.facts.osVersion, "13");
    assert.match(done.facts.python, /^3\.13\./);
    assert.equal(done.verified.cuda, "real");
    const list = await shop.machine.root("cat /etc/apt/sources.list.d/berth-nvidia.sources");
    assert.match(list, /debian13\/x86_64/);
    const before = await shop.machine.root(traces);
    const again = await shop.bootstrap();
    assert.deepEqual(
      again.steps.filter(({ changed }) => changed),
      [],
    );
    assert.equal(await shop.machine.root(traces), before);
  });

  it("refuses a repository whose key is not the pinned one, and lists that another key signed", async () => {
    await shop.machine.begin({ os: "debian 13" });
    const { port } = shop.repository;
    const url = `http://127.0.0.1:${port}`;
    const wrong = { url, keyringSha256: "0".repeat(64) };
    await assert.rejects(shop.bootstrap({ mirror: wrong }), /E_REPO_KEY/);
    await shop.machine.root(
      "cp /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/berth-nvidia.gpg",
    );
    await assert.rejects(shop.bootstrap(), /E_REPO_KEY/);
  });

  it("goes on after a reboot that another driver makes necessary", async () => {
    await shop.machine.begin({
      os: "debian 13",
      behaviour: { nouveau: "yes", "busy-nouveau": "yes" },
    });
    const done = await shop.bootstrap();
    assert.equal(done.lines.filter((line) => line.startsWith("rebooting")).length, 1);
    assert.equal(done.verified.cuda, "real");
  });
});

describe("NVIDIA's container toolkit", () => {
  const shop = new Workshop();
  before(function () {
    return shop.open(this);
  });
  after(() => shop.close());

  it("comes from NVIDIA's repository, the driver from Ubuntu's, and Docker is told of it once", async () => {
    await shop.machine.begin();
    await shop.machine.root(`
      rm -rf /etc/docker; mkdir /etc/docker
      printf '#!/bin/sh\\n' >/usr/local/bin/docker; chmod +x /usr/local/bin/docker
      printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/system/docker.service
      systemctl daemon-reload; systemctl restart docker
      echo '127.0.0.1 nvidia.test' >>/etc/hosts
    `);
    const { port, keyringSha256 } = shop.repository;
    // Another name for the same server: apt tells the two sources apart by it.
    const mirror = { url: `http://nvidia.test:${port}`, keyringSha256 };
    const asked = { containers: true, mirror };
    const started = "systemctl show -p ExecMainStartTimestampMonotonic docker";
    const first = await shop.machine.root(started);
    try {
      const done = await shop.bootstrap(asked);
      assert.equal(done.verified.cuda, "real");
      const from = (name: string) =>
        shop.machine.root(`apt-cache policy ${name} | grep -A2 '\\*\\*\\*' | grep http`);
      assert.match(await from("nvidia-container-toolkit"), /http:\/\/nvidia\.test:/);
      assert.match(await from("nvidia-utils-580-server"), /http:\/\/127\.0\.0\.1:/);
      assert.match(await shop.machine.root("cat /etc/docker/daemon.json"), /"nvidia"/);
      assert.match(await shop.machine.root("cat /etc/cdi/nvidia.yaml"), /cdiVersion/);
      const restarted = await shop.machine.root(started);
      assert.notEqual(restarted, first);
      const before = await shop.machine.root(traces);
      const again = await shop.bootstrap(asked);
      assert.deepEqual(
        again.steps.filter(({ changed }) => changed).map(({ name }) => name),
        [],
      );
      assert.equal(await shop.machine.root(traces), before);
      assert.equal(await shop.machine.root(started), restarted);
    } finally {
      await shop.machine.root(
        "systemctl stop docker; sed -i /nvidia.test/d /etc/hosts; rm -r /usr/local/bin/docker /etc/docker /etc/systemd/system/docker.service",
      );
    }
  });
});
