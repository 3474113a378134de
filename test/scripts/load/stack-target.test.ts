import assert from "node:assert/strict";
import { AnswerReader } from "../../../scripts/load/answer-reader.ts";
import { openKnownStack } from "../../../scripts/load/stack-target.ts";
import { needsSshd, startSshd, type TestSshd } from "../../provider/support/sshd.ts";
import { Started } from "../../support/tier.ts";
import { startStreamingServer, type StreamingServer } from "./streaming-server.ts";

/** What a stack of the catalogue's Llama on an L4 records. */
const plan = {
  modelId: "llama-3.1-8b",
  engine: "vllm",
  precision: "bf16",
  contextTokens: 4096,
  ladder: [
    {
      instanceType: "g6.xlarge",
      gpuModel: "L4",
      tensorParallel: 1,
      pipelineParallel: 1,
      nvlink: false,
    },
  ],
};

describe("the load target of a stack", function () {
  const started = new Started();
  let sshd: TestSshd;
  let server: StreamingServer;

  before(async function () {
    needsSshd(this);
    sshd = started.use(await startSshd());
    server = started.use(await startStreamingServer(() => ({})));
    process.env["BERTH_SSH_PRIVATE_KEY"] = sshd.clientKey;
  });
  after(async () => {
    Reflect.deleteProperty(process.env, "BERTH_SSH_PRIVATE_KEY");
    await started.stop();
  });

  function known(hostKey: string) {
    return {
      outputs: {
        address: "127.0.0.1",
        sshPort: sshd.port,
        user: sshd.user,
        hostKey,
        url: new URL(server.baseUrl).origin,
        instanceType: "g6.xlarge",
        hourlyUsd: 0.84,
        expiresAt: "",
        catalogueVersion: "2026-08-21",
        plan,
      },
      options: {},
      client: { region: "us-east-1" },
      emulated: false,
      now: new Date(),
      hourlyUsd: undefined,
    };
  }

  it("is a host's server through SSH, with its price and the plan's speed", async () => {
    const opened = await openKnownStack(known(sshd.hostKey));
    try {
      const { described, contextTokens, deadlineSeconds, roundTripSeconds } = opened;
      assert.equal(described.hourlyUsd, 0.84);
      assert.equal(described.model, "llama-3.1-8b");
      assert.equal(contextTokens, 4096);
      assert.equal(deadlineSeconds, undefined);
      assert.ok(roundTripSeconds! > 0);
      const reader = new AnswerReader(performance.now());
      const heard = (piece: Uint8Array): void => {
        reader.feed(piece, performance.now());
      };
      const signal = new AbortController().signal;
      await opened.load.send({ prompt: "one two", answerTokens: 3 }, heard, signal);
      assert.equal(reader.sample(performance.now()).answerTokens, 3);
      assert.equal(server.asked.at(-1)?.ignore_eos, true);
      const one = opened.estimate(256, 128, 1)!.totalTokensPerSecond;
      const eight = opened.estimate(256, 128, 8)!.totalTokensPerSecond;
      // 16 GB of weights at 300 GB/s are 53 ms a token.
      assert.ok(one.low > 5 && one.high < 19, `${one.low} to ${one.high}`);
      assert.ok(eight.low > 4 * one.low);
    } finally {
      opened.close();
    }
  });

  it("sends nothing to a host with another key", async () => {
    const before = server.asked.length;
    const other =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtqJ7zOtqQtYqOo0CpvDXNlMV3HeJDpjrASKGLWdopN";
    await assert.rejects(openKnownStack(known(other)), /other than the pinned one/);
    assert.equal(server.asked.length, before);
  });
});
