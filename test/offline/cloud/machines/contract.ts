import assert from "node:assert/strict";
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Machine, MachineTier } from "../../../../offline/cloud/machines/machine.ts";
import { needs } from "../../../support/tier.ts";
import { traces } from "./traces.ts";
import { answers, layGround, Login, makeKey, specOn, until, type Ground } from "./support.ts";

/** Runs over a raw connection, so that the machine needs no program for it. */
const ask = (port: number, path: string): string =>
  `exec 3<>/dev/tcp/127.0.0.1/${port} && printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3`;

const bootId =
  'cat "${BERTH_ROOT:+$BERTH_ROOT/run/boot_id}${BERTH_ROOT:-/proc/sys/kernel/random/boot_id}" 2>/dev/null || cat "$BERTH_ROOT/run/boot_id"';

/** The first line that a process writes. @throws Error with its complaints when it ends without one */
async function firstLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  const ended = once(child, "close").then(([code, signal]) => {
    throw new Error(`the owner ended (${String(code ?? signal)}) before it spoke: ${complaints}`);
  });
  const said = once(createInterface({ input: child.stdout }), "line");
  // The end that the test itself brings about is no news.
  ended.catch(() => undefined);
  return String((await Promise.race([said, ended]))[0]);
}

/** What every tier's machines are held to. */
export function holdToContract(tier: MachineTier): void {
  describe(`A machine of the tier ${tier.name}`, () => {
    let ground: Ground;
    let machine: Machine;
    let login: Login;
    const closing: (() => unknown)[] = [];

    before(async function () {
      this.timeout(600_000);
      const { ok, why } = await tier.available();
      needs(this, `the tier ${tier.name}`, ok, why);
      await tier.prepare(() => undefined);
      ground = await layGround(tier.name === "process");
      closing.unshift(() => ground.close());
      const extra = {
        write_files: [{ path: "/etc/berth/deadline", permissions: "0640", content: "12345\n" }],
        bootcmd: ['echo booted >>"${BERTH_ROOT:-}/var/boots"'],
        runcmd: ['echo ran >>"${BERTH_ROOT:-}/var/ran"'],
      };
      const gpu = { model: "A10G", count: 2, memoryMiB: 23_028 };
      machine = await tier.start(specOn(ground, { gpu }, extra));
      closing.unshift(() => machine.terminate());
      login = await Login.to(machine, ground.hostKey.publicKey, ground.clientKey.privateKey);
      closing.unshift(() => {
        login.close();
      });
    });

    after(async () => {
      for (const close of closing) await close();
    });

    const again = (to: Machine): Promise<Login> =>
      Login.to(to, ground.hostKey.publicKey, ground.clientKey.privateKey);

    it("shows the seeded host key, and is refused by whoever pins another", async () => {
      await assert.rejects(
        Login.to(machine, makeKey().publicKey, ground.clientKey.privateKey),
        /verification failed/,
      );
    });

    it("lets in nobody without the key", async () => {
      await assert.rejects(
        Login.to(machine, ground.hostKey.publicKey, makeKey().privateKey),
        /authentication methods failed/,
      );
    });

    it("gives back exit status, both outputs and what came in", async () => {
      const ended = await login.run("cat; echo oops >&2; exit 7", "hello");
      assert.deepEqual(ended, { code: 7, signal: undefined, out: "hello", err: "oops\n" });
    });

    it("tells of a command's death by signal", async () => {
      const { code, signal } = await login.run("kill -KILL $$");
      assert.equal(code ?? null, null);
      assert.equal(signal?.replace("SIG", ""), "KILL");
    });

    it("lets its user become root without a password", async () => {
      assert.match(await login.output("sudo -n echo yes"), /yes/);
      assert.equal(await login.output("id -un >/dev/null; echo $USER"), "ubuntu");
    });

    it("does what its user data says, and says when it is done", async () => {
      const status = await login.run("cloud-init status --wait --long");
      assert.equal(status.code, 0, status.out + status.err);
      assert.match(status.out, /status: done/);
      assert.equal(await login.output('sudo cat "${BERTH_ROOT:-}/etc/berth/deadline"'), "12345");
      assert.equal(
        await login.output('sudo stat -c %a "${BERTH_ROOT:-}/etc/berth/deadline"'),
        "640",
      );
      assert.equal(await login.output('sudo cat "${BERTH_ROOT:-}/var/ran"'), "ran");
    });

    it("reaches the cloud where the host does", async () => {
      assert.match(
        await login.output(ask(ground.cloudPort, "/bucket?x=1")),
        /seen GET \/bucket\?x=1/,
      );
    });

    it("has a metadata service that wants a token and has the role's credentials", async () => {
      const script = `
        at=\${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}
        get() { curl -s -m 5 -o "$1" -w '%{http_code} ' "\${@:2}"; }
        get /dev/null "$at/latest/meta-data/"
        token=$(curl -s -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$at/latest/api/token")
        get /dev/stdout -H "X-aws-ec2-metadata-token: $token" "$at/latest/meta-data/instance-type"
        get /dev/stdout -H "X-aws-ec2-metadata-token: $token" "$at/latest/meta-data/iam/security-credentials/reader"
        get /dev/null -H "X-aws-ec2-metadata-token: $token" "$at/latest/meta-data/spot/instance-action"`;
      const text = await login.output(`bash -c '${script.replaceAll("'", "'\\''")}' | cat`);
      assert.match(text, /^401 g5\.xlarge200 \{.*"AccessKeyId":"ASIA.*\}200 404$/s);
    });

    it("carries connections to its own loopback", async () => {
      const text = await new Promise<string>((resolve, reject) => {
        login.client.forwardOut("127.0.0.1", 0, "127.0.0.1", ground.cloudPort, (error, channel) => {
          if (error !== undefined) {
            reject(error);
            return;
          }
          let answer = "";
          channel.on("data", (chunk: Buffer) => (answer += chunk.toString()));
          channel.on("close", () => {
            resolve(answer);
          });
          channel.end("GET /forwarded HTTP/1.0\r\n\r\n");
        });
      });
      assert.match(text, /seen GET \/forwarded/);
    });

    it("shows its emulated GPUs, and says that they are", async () => {
      const query = "--query-gpu=index,name,memory.total --format=csv,noheader,nounits";
      assert.equal(
        await login.output(`nvidia-smi ${query}`),
        "0, NVIDIA A10G, 23028\n1, NVIDIA A10G, 23028",
      );
      assert.match(await login.output('cat "${BERTH_ROOT:-}/etc/berth-emulated"'), /emulated/);
    });

    it("puts its host key on its console", async () => {
      const block = /BEGIN SSH HOST KEY KEYS-----\n([^]*?)\n?-----END SSH HOST KEY KEYS/;
      await until("the block of keys", () => Promise.resolve(block.test(machine.consoleOutput())));
      const key = ground.hostKey.publicKey.split(" ").slice(0, 2).join(" ");
      assert.ok(block.exec(machine.consoleOutput())?.[1]?.includes(key), machine.consoleOutput());
    });

    it("keeps its disk over a reboot, and has a new boot id", async () => {
      const before = await login.output(bootId);
      await login.output('echo kept >"$HOME/kept"; sync');
      await machine.reboot();
      const fresh = async (): Promise<boolean> => {
        const next = await again(machine).catch(() => undefined);
        if (next === undefined) return false;
        login.close();
        login = next;
        return (await login.output(bootId).catch(() => before)) !== before;
      };
      await until("another boot id", fresh);
      assert.equal(await login.output('cat "$HOME/kept"'), "kept");
      assert.equal(await login.output('sudo cat "${BERTH_ROOT:-}/var/ran"'), "ran");
    });

    it("ends with its own shutdown, and takes what it left running along", async () => {
      const spec = specOn(ground);
      const own = await tier.start(spec);
      const inside = await again(own);
      await inside.output("setsid sleep 4321 >/dev/null 2>&1 </dev/null & echo started");
      inside.client.on("error", () => undefined);
      void inside.run("sudo shutdown -h now").catch(() => undefined);
      assert.equal(await own.ended, "poweroff");
      inside.close();
      await own.terminate();
      assert.deepEqual(await traces(spec, own.address), []);
    });

    it("stands beside another one that boots from its image, which leaves nothing when terminated", async () => {
      const image = join(ground.folder, "image");
      await login.output('echo imaged >"$HOME/imaged"');
      await machine.writeImage(image);
      const spec = specOn(ground, { image, diskGiB: 6 });
      const other = await tier.start(spec);
      assert.notEqual(other.address, machine.address);
      const inside = await again(other);
      assert.equal(await inside.output('cat "$HOME/imaged"'), "imaged");
      // A folder has no disk of its own; a machine's is as large as was asked for, whatever its image had.
      const ownDisk = tier.name === "nspawn";
      const mib = Number(
        await inside.output("df -P --block-size=1M / | awk 'NR == 2 { print $2 }'"),
      );
      if (ownDisk) assert.ok(mib > 5.5 * 1024, `${mib} MiB`);
      await inside.output("setsid sleep 4321 >/dev/null 2>&1 </dev/null & echo started");
      inside.client.on("error", () => undefined);
      await Promise.all([other.terminate(), other.terminate()]);
      assert.equal(await other.ended, "terminated");
      assert.deepEqual(await traces(spec, other.address), []);
      assert.equal(await login.output("echo here"), "here");
      inside.close();
    });

    it("goes with its owner, however that is killed", async () => {
      const spec = specOn(ground);
      const owner = spawn(
        process.execPath,
        ["--import", "tsx", `${import.meta.dirname}/owner.ts`, tier.name],
        {
          stdio: ["pipe", "pipe", "pipe"],
        },
      );
      owner.stdin.write(`${JSON.stringify(spec)}\n`);
      const address = await firstLine(owner);
      assert.ok(await answers(address, spec.sshPort));
      owner.kill("SIGKILL");
      const clean = async (): Promise<boolean> => (await traces(spec, address)).length === 0;
      await until("every trace gone", clean).catch(async () => {
        assert.deepEqual(await traces(spec, address), []);
      });
      assert.ok(!existsSync(spec.folder));
    });
  });
}
