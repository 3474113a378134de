import assert from "node:assert/strict";
import ssh2 from "ssh2";
import { newEd25519Key } from "../../components/ed25519-key.ts";

type Pair = Parameters<typeof newEd25519Key>[0] extends (() => infer P) | undefined ? P : never;

/** Pairs of ssh2's own making, until one has the fault that newEd25519Key is there for. */
function brokenPair(): Pair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment: "" });
    if (Buffer.from(pair.public.split(" ")[1] ?? "", "base64").length !== 51) return pair;
  }
}

describe("newEd25519Key", () => {
  it("throws a broken key away and makes another", () => {
    const whole = ssh2.utils.generateKeyPairSync("ed25519", { comment: "" });
    const candidates = [brokenPair(), { ...whole, public: newEd25519Key().publicKey }];
    const last = newEd25519Key();
    const key = newEd25519Key(
      () => candidates.shift() ?? { private: last.privateKey, public: last.publicKey },
    );
    assert.deepEqual(key, last);
  });

  it("gives up where no key is ever whole", () => {
    assert.throws(() => newEd25519Key(() => ({ private: "", public: "" })), /20 attempts/);
  });
});
