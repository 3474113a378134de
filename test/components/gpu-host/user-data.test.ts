import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { renderUserData } from "../../../components/gpu-host/user-data.ts";

const execFileAsync = promisify(execFile);

const data = {
  hostKey: { privateKey: "-----BEGIN\nabc\n-----END", publicKey: "ssh-ed25519 AAAA" },
  authorizedKey: "ssh-ed25519 BBBB alice\n",
  expiresAt: "2026-11-24T12:00:00Z",
};

interface CloudConfig {
  readonly ssh_keys: Readonly<Record<string, string>>;
  readonly ssh_authorized_keys: readonly string[];
  readonly ssh_pwauth: boolean;
  readonly write_files?: readonly { readonly path: string; readonly content: string }[];
  readonly runcmd?: readonly string[];
}

describe("renderUserData", () => {
  it("is a cloud-config that seeds the host key, lets one key in and no password", () => {
    const text = renderUserData(data);
    const config = parse(text) as CloudConfig;
    assert.match(text, /^#cloud-config\n/);
    assert.deepEqual(config.ssh_keys, {
      ed25519_private: "-----BEGIN\nabc\n-----END\n",
      ed25519_public: "ssh-ed25519 AAAA\n",
    });
    assert.deepEqual(config.ssh_authorized_keys, ["ssh-ed25519 BBBB alice"]);
    assert.equal(config.ssh_pwauth, false);
  });

  it("writes the deadline as the host's own, in seconds", () => {
    const { write_files: files = [], runcmd = [] } = parse(renderUserData(data)) as CloudConfig;
    const deadline = files.find(({ path }) => path === "/etc/berth/deadline");
    assert.equal(deadline?.content, `${Date.parse(data.expiresAt) / 1000}\n`);
    assert.match(runcmd.join("\n"), /enable --now berth-deadline\.timer/);
  });

  it("has the timer but no deadline when there is none yet", () => {
    const { write_files: files = [] } = parse(
      renderUserData({ ...data, expiresAt: "" }),
    ) as CloudConfig;
    const names = files.map(({ path }) => path.split("/").at(-1));
    assert.deepEqual(names, ["berth-deadline", "berth-deadline.service", "berth-deadline.timer"]);
  });

  describe("the check of the deadline", () => {
    /** What the script does with a file of that text; undefined leaves the file out. */
    const check = async (deadline: string | undefined): Promise<string> => {
      const folder = await mkdtemp(join(tmpdir(), "berth-deadline-"));
      const file = join(folder, "deadline");
      if (deadline !== undefined) await writeFile(file, deadline);
      const { write_files: files = [] } = parse(renderUserData(data)) as CloudConfig;
      const script = files.find(({ path }) => path.endsWith("sbin/berth-deadline"))?.content ?? "";
      const shutdown = "shutdown() { echo ended; }\n";
      const text = shutdown + script.replaceAll("/etc/berth/deadline", file);
      const { stdout } = await execFileAsync("sh", ["-c", text]);
      await rm(folder, { recursive: true });
      return stdout.trim();
    };
    const inSeconds = (offset: number): string => `${Math.floor(Date.now() / 1000) + offset}\n`;

    it("ends the host when the deadline and its grace are over, and no sooner", async () => {
      assert.equal(await check(inSeconds(-301)), "ended");
      assert.equal(await check(inSeconds(-200)), "");
      assert.equal(await check(inSeconds(3600)), "");
    });

    for (const broken of [undefined, "", "soon\n", "12:30\n"])
      it(`ends nothing for ${JSON.stringify(broken)}`, async () => {
        assert.equal(await check(broken), "");
      });
  });

  it("stays far below the 16 KiB that EC2 takes", () => {
    assert.ok(renderUserData(data).length < 4096);
  });
});
