import assert from "node:assert/strict";
import { parse } from "yaml";
import { renderUserData } from "../../../components/gpu-host/user-data.ts";

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

  it("has no timer when there is no deadline", () => {
    const config = parse(renderUserData({ ...data, expiresAt: "" })) as CloudConfig;
    assert.deepEqual([config.write_files, config.runcmd], [undefined, undefined]);
  });

  it("stays far below the 16 KiB that EC2 takes", () => {
    assert.ok(renderUserData(data).length < 4096);
  });
});
