import assert from "node:assert/strict";
import { parseHostAddress } from "../../components/host-address.ts";

describe("parseHostAddress", () => {
  it("reads user, address and port", () => {
    assert.deepEqual(parseHostAddress("alice@192.0.2.10:2222"), {
      user: "alice",
      host: "192.0.2.10",
      port: 2222,
    });
    assert.deepEqual(parseHostAddress("AD\\\\al.ice@gpu-1.example.org"), {
      user: "AD\\\\al.ice",
      host: "gpu-1.example.org",
      port: 22,
    });
    assert.equal(parseHostAddress("a@[2001:db8::1]:22")?.host, "2001:db8::1");
    assert.equal(parseHostAddress("a@[fe80::1%eth0]")?.host, "fe80::1%eth0");
  });

  for (const text of [
    "-oProxyCommand=touch${IFS}x@192.0.2.10",
    "a@-oProxyCommand=x",
    "$(reboot)@192.0.2.10",
    "a;b@192.0.2.10",
    "a@192.0.2.10;reboot",
    "a@`id`",
    "a@host:0",
    "a@host:99999",
    "a@[::1;x]",
    "@host",
    "host",
  ]) {
    it(`refuses ${text}`, () => {
      assert.equal(parseHostAddress(text), undefined);
    });
  }
});
