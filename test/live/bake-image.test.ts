import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { renderUserData } from "../../components/gpu-host/user-data.ts";
import { setHostDeadline } from "../../provider/host-deadline.ts";
import { remoteScript } from "../../provider/remote/scripts.ts";
import { makeKey } from "../offline/cloud/machines/support.ts";
import { Workshop } from "../provider/bootstrap/workshop.ts";

/** Stands for whatever must not be found in an image: tokens, prompts, logs, data of a training. */
const secret = "do-not-bake-1c7f0a52";

/** Puts the secret where berth, a person and the tools that they use leave theirs. */
const plant = `
  umask 077
  mkdir -p /var/log/journal && systemctl restart systemd-journald && journalctl --flush
  logger "a prompt with ${secret}"
  echo ${secret} >/var/log/app.log
  sudo -u ubuntu bash -c '
    cd; mkdir -p .aws .cache/huggingface .ssh /opt/berth/{jobs/run,checkpoints,notebook/work,engines/e,interpreters/p/bin,node/bin,python/bin,weights/m,model-server}
    for file in .aws/credentials .cache/huggingface/token .netrc .git-credentials .bash_history .ssh/id_ed25519 /tmp/upload \\
      /opt/berth/jobs/run/data.jsonl /opt/berth/notebook/token /opt/berth/checkpoints/x /opt/berth/weights/m/model.safetensors \\
      /opt/berth/model-server/token.new; do echo ${secret} >$file; done
    touch /opt/berth/engines/e/server /opt/berth/interpreters/p/bin/python3 /opt/berth/node/bin/node /opt/berth/python/bin/python'
  echo ${secret} >/root/.netrc
  echo 'LABEL=berth-weights /opt/berth/weights ext4 noatime,nofail 0 0' >>/etc/fstab
`;

const packages = "dpkg-query -W -f '${Package} ${Version} ${Status}\\n'; apt-mark showhold";

/** Waits until nobody listens there any more; the old boot takes connections up to its end. */
async function untilDown(address: { host: string; port: number }): Promise<void> {
  for (;;) {
    const socket = connect(address);
    const up = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (!up) return;
    await sleep(50);
  }
}

for (const system of ["bookworm", "trixie"] as const) {
  describe(`An image of a host, on ${system}`, function () {
    this.timeout(180_000);
    const shop = new Workshop();
    before(function () {
      return shop.open(this, system);
    });
    after(() => shop.close());

    it("has nothing of the host's own, and boots as another host with all that was installed", async () => {
      await shop.machine.begin();
      await shop.bootstrap();
      const { machine } = shop;
      await machine.root(plant);
      const host = machine.host();
      const server = "start /opt/berth/model-server 8010 python3 -m http.server 8010";
      await host.output(remoteScript("model-server.sh"), server.split(" "), 60_000);
      await setHostDeadline(host, "2100-01-01T00:00:00Z");
      const own = await machine.root("cat /etc/machine-id");
      const before = await machine.root(packages);
      const traces = [secret, machine.clientKey.publicKey, machine.hostKey]
        .map((text) => text.split(" ")[1] ?? text)
        .map((text) => `-e ${text}`)
        .join(" ");
      // This very question is in the log of sudo; so it comes in a file.
      await host.put(
        `grep -rlaF ${traces} / --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev || true\n`,
        "/opt/berth/search",
      );
      const search = async (from = host) => from.output("sudo -n bash /opt/berth/search");
      assert.match(await search(), /user-data[^]*\/notebook\/token/);

      await host.output(remoteScript("clean-image.sh"), ["/opt/berth"], 60_000);
      await host.output("[ ! -e /opt/berth/search ]");
      await assert.rejects(machine.host({ patience: { connectMs: 2000 } }).output("true"));
      const left = await host.output("ls -A /opt/berth ~; cat /etc/machine-id /etc/fstab");
      assert.match(left, /\.bashrc\n[^]*engines\ninterpreters\nnode\npython\nweights\n/);
      assert.doesNotMatch(left, /[0-9a-f]{32}|berth-weights/);
      const units = "ls /etc/systemd/system /etc/systemd/system/*.wants | grep berth- || true";
      assert.equal(await host.output(units), "");

      const keys = { hostKey: makeKey(), clientKey: makeKey() };
      const expiresAt = "2100-01-01T00:00:00Z";
      const { publicKey: authorizedKey } = keys.clientKey;
      const userData = renderUserData({ hostKey: keys.hostKey, authorizedKey, expiresAt });
      const seed = "/var/lib/cloud/seed/nocloud";
      const told = Buffer.from(userData).toString("base64");
      await host.output(
        `printf '%s' ${told} | sudo -n bash -c 'mkdir -p ${seed}; echo "{instance-id: i-2}" >${seed}/meta-data; base64 -d >${seed}/user-data'
         sudo -n systemctl reboot --no-block`,
      );
      host.close();
      await untilDown(machine.address);

      const next = machine.host({ keys, patience: { connectMs: 50_000 } });
      await next.output("cloud-init status --wait >/dev/null || true");
      const id = await next.output("cat /etc/machine-id");
      assert.match(id, /^[0-9a-f]{32}\n$/);
      assert.notEqual(id, own);
      await next.put(
        `grep -rlaF ${traces} / --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev || true\n`,
        "/tmp/search",
      );
      assert.equal(await next.output("sudo -n bash /tmp/search"), "/tmp/search\n");
      assert.equal(await next.output("journalctl --list-boots -q | wc -l"), "1\n");
      assert.equal(await next.output(packages), before);
      assert.match(await next.output("systemctl is-active berth-deadline.timer"), /^active/);
      const done = await shop.bootstrap({}, next);
      assert.equal(done.verified.cuda, "real");
      assert.equal(await machine.root(packages, keys), before);
    });
  });
}
