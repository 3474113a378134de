import assert from "node:assert/strict";
import { cidrProblem, parseCidr } from "../../../components/network/cidr.ts";
import { UserError } from "../../../components/user-error.ts";

describe("parseCidr", () => {
  it("takes one address and an own network, of both families", () => {
    assert.deepEqual(parseCidr("203.0.113.7/32"), { family: 4, text: "203.0.113.7/32" });
    assert.deepEqual(parseCidr("10.1.0.0/16"), { family: 4, text: "10.1.0.0/16" });
    assert.deepEqual(parseCidr("2001:db8::1/128"), { family: 6, text: "2001:db8::1/128" });
  });

  for (const world of ["0.0.0.0/0", "::/0", "198.51.100.1/0", "0.0.0.0/1", "128.0.0.0/1", "::/1"]) {
    it(`refuses ${world}`, () => {
      assert.throws(() => parseCidr(world), UserError);
    });
  }

  for (const text of [
    "",
    "203.0.113.7",
    "203.0.113.7/33",
    "here/32",
    "203.0.113.7/32/1",
    "1.2.3.4/ 8",
  ]) {
    it(`refuses "${text}", which is no block`, () => {
      assert.notEqual(cidrProblem(text), undefined);
    });
  }
});
