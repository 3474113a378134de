import assert from "node:assert/strict";
import { join } from "node:path";
import { hostOf } from "../../provider/connection.ts";
import {
  acceptedHostKeys,
  readHostKeyRecord,
  writeHostKeyRecord,
} from "../../provider/host-key-record.ts";
import { remoteScript } from "../../provider/remote/scripts.ts";
import { rotateHostKey } from "../../provider/rotate-host-key.ts";
import { Started } from "../support/tier.ts";
import { needsSshd, startSshd, type TestSshd } from "./support/sshd.ts";

const script = remoteScript("rotate-host-key.sh");

describe("rotateHostKey", () => {
  let sshd: TestSshd;
  const started = new Started();
  const stateHome = process.env["BERTH_STATE_HOME"];
  beforeEach(async function () {
    needsSshd(this);
    sshd = started.use(await startSshd({ BERTH_ROOT: "" }));
    process.env["BERTH_STATE_HOME"] = join(sshd.folder, "state");
    process.env["BERTH_SSH_PRIVATE_KEY"] = sshd.clientKey;
  });
  afterEach(async () => {
    await started.stop();
    if (stateHome === undefined) Reflect.deleteProperty(process.env, "BERTH_STATE_HOME");
    else process.env["BERTH_STATE_HOME"] = stateHome;
  });

  const host = (hostKey = sshd.hostKey) =>
    hostOf(
      { host: "127.0.0.1", port: sshd.port, user: sshd.user, hostKey },
      { connectMs: 20_000 },
      async () => acceptedHostKeys(hostKey, await readHostKeyRecord("i-1")),
    );

  it("gives the host a key that was not in its user data, and pins it", async () => {
    const seeded = host();
    const rotation = await rotateHostKey(seeded, "i-1", sshd.hostKey);
    seeded.close();
    assert.equal(rotation.changed, true);
    assert.equal(rotation.hostKey, await sshd.currentHostKey());
    // Another operator's machine has no note of it, only the key that the state holds.
    process.env["BERTH_STATE_HOME"] = join(sshd.folder, "elsewhere");
    const next = host(rotation.hostKey);
    await next.session();
    next.close();
    const late = host(sshd.hostKey);
    await assert.rejects(late.session(), /host key/);
    late.close();
  });

  it("touches no sshd where the machine is only a folder", async () => {
    const machine = await startSshd();
    process.env["BERTH_SSH_PRIVATE_KEY"] = machine.clientKey;
    const { port, user, hostKey } = machine;
    const client = hostOf({ host: "127.0.0.1", port, user, hostKey }, { connectMs: 20_000 });
    const rotation = await rotateHostKey(client, "i-2", hostKey);
    assert.equal(rotation.hostKey, hostKey);
    assert.match(rotation.kept ?? "", /no sshd of the host's own/);
    assert.equal(await machine.currentHostKey(), hostKey);
    client.close();
    await machine.stop();
  });

  it("does nothing the second time", async () => {
    const client = host();
    const first = await rotateHostKey(client, "i-1", sshd.hostKey);
    assert.deepEqual(await rotateHostKey(client, "i-1", sshd.hostKey), {
      hostKey: first.hostKey,
      changed: false,
      kept: undefined,
    });
    client.close();
  });

  it("is taken up where it was cut off: before the new key is in place", async () => {
    const client = host();
    const made = (await client.output(script, ["make"])).trim();
    await writeHostKeyRecord("i-1", { seeded: sshd.hostKey, rotated: made, phase: "pending" });
    client.close();
    const again = host();
    assert.equal((await rotateHostKey(again, "i-1", sshd.hostKey)).hostKey, made);
    assert.equal(await sshd.currentHostKey(), made);
    again.close();
  });

  it("is taken up where it was cut off: after the new key is in place", async () => {
    const client = host();
    const made = (await client.output(script, ["make"])).trim();
    await writeHostKeyRecord("i-1", { seeded: sshd.hostKey, rotated: made, phase: "pending" });
    await client.output(script, ["activate"]);
    client.close();
    const again = host();
    assert.equal((await rotateHostKey(again, "i-1", sshd.hostKey)).hostKey, made);
    assert.equal((await readHostKeyRecord("i-1"))?.phase, "active");
    again.close();
  });
});

describe("acceptedHostKeys", () => {
  const record = { seeded: "ssh-ed25519 A", rotated: "ssh-ed25519 B" };
  it("drops the seeded key when the rotation is done", () => {
    assert.deepEqual(acceptedHostKeys("ssh-ed25519 A root@host", { ...record, phase: "active" }), [
      "ssh-ed25519 B",
    ]);
    assert.deepEqual(acceptedHostKeys("ssh-ed25519 A", { ...record, phase: "pending" }), [
      "ssh-ed25519 A",
      "ssh-ed25519 B",
    ]);
  });
  it("takes any other key as it is given", () => {
    assert.deepEqual(acceptedHostKeys("ssh-ed25519 B", { ...record, phase: "active" }), [
      "ssh-ed25519 B",
    ]);
    assert.deepEqual(acceptedHostKeys("ssh-ed25519 C", undefined), ["ssh-ed25519 C"]);
  });
});
