import assert from "node:assert/strict";
import { shellQuote, type Host } from "../../provider/adapters/ssh.ts";
import { remoteScript } from "../../provider/remote/scripts.ts";
import { Workshop } from "../provider/bootstrap/workshop.ts";

const folder = "/opt/berth/model-server";

/** Stands for an engine that an attacker has taken over: it answers each path by running it as a command. */
const taken = `
import http.server, os, subprocess, sys, urllib.parse
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        done = subprocess.run(["bash", "-c", urllib.parse.unquote(self.path[1:])], capture_output=True, text=True)
        self.send_response(200); self.end_headers()
        self.wfile.write(f"{done.returncode} {done.stdout}{done.stderr}".encode())
    def log_message(self, *words): pass
print("serving", flush=True)
http.server.HTTPServer(("127.0.0.1", 8000), Answer).serve_forever()
`;

describe("The unit of the model server", () => {
  const shop = new Workshop();
  let host: Host;
  before(async function () {
    await shop.open(this);
    host = shop.machine.host();
    await shop.machine.begin();
    await shop.machine.root(`
      printf '#!/bin/sh\\necho "$(id -u) $*" >>/run/modprobed\\n' >/usr/local/bin/nvidia-modprobe; chmod +x /usr/local/bin/nvidia-modprobe
      install -d -o ubuntu -g ubuntu /opt/berth /opt/berth/weights /opt/berth/engines
      install -d -o ubuntu -m 700 /home/ubuntu/.aws; echo secret >/home/ubuntu/.aws/credentials; chown ubuntu /home/ubuntu/.aws/credentials
      mknod /dev/nvidia0 c 1 3; chmod 666 /dev/nvidia0`);
    await host.put(taken, "/opt/berth/engines/taken.py");
    await host.output(remoteScript("model-server.sh"), start, 60_000);
    await host.output("until curl -so /dev/null http://127.0.0.1:8000/true; do sleep 0.2; done");
  });
  after(async () => {
    host.close();
    await shop.close();
  });

  const start = ["start", folder, "8000", "python3", "/opt/berth/engines/taken.py"];
  const inside = (command: string) => {
    const url = `http://127.0.0.1:8000/${encodeURIComponent(command)}`;
    return host.output(`curl -s ${shellQuote(url)}\n`);
  };

  it("does what an engine needs: weights, a GPU's device, caches that stay, shared and locked memory", async () => {
    const needed = [
      "ls /opt/berth/weights",
      ": >/dev/nvidia0",
      "mkdir -p ~/.cache/vllm && touch ~/.cache/vllm/graph && test -e /var/cache/berth-model/.cache/vllm/graph",
      "touch /tmp/scratch /dev/shm/segment",
      "python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=7)'",
      "python3 -c 'import multiprocessing as m; p = m.Process(target=print); p.start(); p.join(); raise SystemExit(p.exitcode)'",
    ];
    for (const command of needed) assert.match(await inside(command), /^0 /, command);
    assert.equal(await host.output("sudo cat /run/modprobed"), "0 -u -c0\n");
    // A container's own limits are lower than what the unit asks for.
    const limits = await host.output("systemctl show -p LimitMEMLOCK,LimitNOFILE berth-model");
    assert.deepEqual(limits.trim().split("\n").toSorted(), [
      "LimitMEMLOCK=infinity",
      "LimitNOFILE=65536",
    ]);
  });

  it("does nothing that would outlive it, and reads nobody's keys, when it is taken over", async () => {
    const readOnly = /^1 .*Read-only file system$/;
    const denied = /^[12] .*Permission denied$/;
    // Each by the sandbox's own refusal: a tool that is missing would be no proof.
    const refused: readonly [string, RegExp][] = [
      ["sudo -n true", /^1 sudo: The "no new privileges" flag is set/],
      ["echo evil >>/home/ubuntu/.bashrc", readOnly],
      ["touch /home/ubuntu/.ssh/rc", denied],
      ["cat /home/ubuntu/.aws/credentials", denied],
      ["ls /home/ubuntu/.ssh", denied],
      ["echo evil >>/opt/berth/engines/taken.py", readOnly],
      ["touch /opt/berth/weights/x", readOnly],
      ["touch /usr/local/bin/x", readOnly],
      ["touch /etc/x", readOnly],
      ["unshare -U true", /^1 unshare: unshare failed: Operation not permitted$/],
      [
        "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'",
        /^1 [^]*OSError: \[Errno 97\] Address family not supported by protocol$/,
      ],
      ["test -d /proc/1/fd", /^1 $/],
    ];
    for (const [command, told] of refused)
      assert.match((await inside(command)).replace(/\n$/, ""), told, command);
    const unit =
      "systemctl show -p CapabilityBoundingSet,NoNewPrivileges,IPAddressDeny berth-model";
    const shown = await host.output(unit);
    assert.match(shown, /CapabilityBoundingSet=\n/);
    assert.match(shown, /^IPAddressDeny=(?=.*169\.254\.169\.254\/32).*fd00:ec2::254\/128/m);
  });

  it("is judged safe by systemd", async () => {
    const text = await host.output("systemd-analyze security berth-model --no-pager");
    const [, exposure = "10"] =
      /exposure level for berth-model\.service: ([\d.]+)/.exec(text) ?? [];
    assert.ok(Number(exposure) <= 3, text);
  });

  it("writes to the journal under its name, and is started again when it is killed", async () => {
    assert.match(await host.output("sudo journalctl -t berth-model -o cat"), /serving/);
    await host.output("sudo systemctl kill -s KILL berth-model");
    await host.output("until curl -so /dev/null http://127.0.0.1:8000/true; do sleep 0.2; done");
    assert.equal(await host.output("systemctl show -p NRestarts --value berth-model"), "1\n");
  });

  it("is set to start at every boot, behind the file system of its weights", async () => {
    const after = await host.output("systemctl show -p After --value berth-model");
    assert.match(after, /nvidia-fabricmanager\.service/);
    assert.match(
      await host.output("systemctl cat berth-model"),
      /RequiresMountsFor=\/opt\/berth\/weights/,
    );
    assert.equal(await host.output("systemctl is-enabled berth-model"), "enabled\n");
  });

  it("goes without a trace", async () => {
    await host.output(remoteScript("model-server.sh"), ["stop", folder], 60_000);
    const left =
      "ls -d /var/cache/berth-model /etc/systemd/system/berth-model.service 2>&1 | grep -vc 'No such' || true";
    assert.equal((await host.output(left)).trim(), "0");
  });
});
