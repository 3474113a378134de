import assert from "node:assert/strict";
import { StackSources } from "../../../scripts/dashboard/stack-sources.ts";
import { hasSshd, startSshd, type TestSshd } from "../../provider/support/sshd.ts";
import { needs } from "../../support/tier.ts";
import { factsOf } from "./support.ts";

describe("StackSources", () => {
  let sshd: TestSshd;
  const keyBefore = process.env["BERTH_SSH_PRIVATE_KEY"];
  const ends: (() => Promise<void>)[] = [];
  before(async function () {
    needs(this, "sshd", hasSshd(), "/usr/sbin/sshd is not installed");
    sshd = await startSshd();
    ends.push(() => sshd.stop());
    process.env["BERTH_SSH_PRIVATE_KEY"] = sshd.clientKey;
  });
  after(async () => {
    if (keyBefore === undefined) delete process.env["BERTH_SSH_PRIVATE_KEY"];
    else process.env["BERTH_SSH_PRIVATE_KEY"] = keyBefore;
    for (const end of ends) await end();
  });

  it("forgets what a host told when another deployment of the stack takes its place", async () => {
    let now = 0;
    const connection = {
      host: "127.0.0.1",
      port: sshd.port,
      user: sshd.user,
      hostKey: sshd.hostKey,
    };
    // A machine of one's own, so that no account is asked.
    const machine = { ownMachine: true, instanceId: undefined, serverPort: undefined };
    let facts = factsOf({ ...machine, connection });
    const ground = {
      clock: () => now,
      changed: () => undefined,
      cloud: () => {
        throw new Error("there is none");
      },
    };
    const options = { facts: () => Promise.resolve(facts), probe: true };
    const sources = new StackSources("dev", options, ground);
    await sources.refresh();
    assert.notEqual(sources.readings.host.value, undefined);
    facts = factsOf({ ...machine, connection: undefined });
    now += 60_000;
    await sources.refresh();
    assert.deepEqual(sources.readings.host, {});
  });
});
