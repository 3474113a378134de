import assert from "node:assert/strict";
import { StackSources } from "../../../scripts/dashboard/stack-sources.ts";
import { sshdOfSuite } from "../../provider/support/sshd.ts";
import { factsOf } from "./support.ts";

describe("StackSources", () => {
  const sshd = sshdOfSuite();

  it("forgets what a host told when another deployment of the stack takes its place", async () => {
    let now = 0;
    const { port, user, hostKey } = sshd();
    const connection = { host: "127.0.0.1", port, user, hostKey };
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
