import assert from "node:assert/strict";
import {
  stateOfAll,
  stateTogether,
  type HostServing,
} from "../../../scripts/stack/host-serving.ts";
import { hostsOf, outputsOfHost } from "../../../scripts/stack/stack-hosts.ts";
import type { BerthOutputs } from "../../../scripts/stack/stack-outputs.ts";

const host = (index: number) => ({
  ...{ index, instanceId: `i-${index}`, address: `192.0.2.${index}` },
  ...{ privateAddress: `10.0.0.${index}`, hostKey: `key ${index}`, url: "u", certificate: "" },
});
const several: BerthOutputs = { instanceId: "i-0", user: "ubuntu", hosts: [host(0), host(1)] };

describe("the hosts of a stack", () => {
  it("are one without a number, several with theirs, or none", () => {
    assert.deepEqual(
      hostsOf({ instanceId: "i-9" }).map(({ index, instanceId }) => [index, instanceId]),
      [[0, "i-9"]],
    );
    assert.deepEqual(
      hostsOf(several).map(({ index, instanceId, user }) => [index, instanceId, user]),
      [
        [0, "i-0", "ubuntu"],
        [1, "i-1", "ubuntu"],
      ],
    );
    assert.deepEqual(hostsOf({ endpointName: "e" }), []);
  });

  it("are asked for by number, and only by one that there is", () => {
    assert.equal(outputsOfHost(several, { host: "1" }).address, "192.0.2.1");
    assert.equal(outputsOfHost(several, {}), several);
    for (const number of ["2", "-1", "one", ""]) {
      assert.throws(() => outputsOfHost(several, { host: number }), /has no such host/);
    }
    assert.throws(() => outputsOfHost({ endpointName: "e" }, { host: "0" }), /no such host/);
  });

  for (const [states, together, worst] of [
    [["running", "running"], "running", "running"],
    [["running", "terminated"], "1 of 2 running", "terminated"],
    [["gone", "terminated"], "gone", "gone"],
    [["running", "unknown"], "unknown", "unknown"],
    [["pending", "running"], "1 of 2 running", "pending"],
  ] as const) {
    it(`are ${together} when they are ${states.join(" and ")}`, () => {
      const hosts = states.map((state, index): HostServing => {
        return { host: { ...several, ...host(index) }, state: { state }, line: "" };
      });
      assert.equal(stateTogether(hosts).state, together);
      assert.equal(stateOfAll(hosts).state, worst);
    });
  }
});
