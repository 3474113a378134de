import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { vllmRelease } from "../../components/catalogue/vllm-release.ts";
import { UserError } from "../../components/user-error.ts";
import { SshError } from "../../provider/adapters/ssh-error.ts";
import type { Host, ScriptOptions } from "../../provider/adapters/ssh.ts";
import { callModel, wholeText } from "../../provider/adapters/model-api.ts";
import { serveModel, stopModel, type ServeInputs } from "../../provider/serve-model.ts";
import { servedAdapters } from "../../provider/served-adapters.ts";
import { freePort } from "../../offline/cloud/free-port.ts";
import { Started } from "../support/tier.ts";
import { hostOn, operation } from "./support/host.ts";
import { needsSshd, startSshd, type TestSshd } from "./support/sshd.ts";

const fake = fileURLToPath(new URL("engines/fakes/vllm.py", import.meta.url));

describe("Adapters that vLLM serves beside a model", () => {
  let sshd: TestSshd;
  let host: Host;
  let inputs: ServeInputs;
  const started = new Started();

  before(async function () {
    needsSshd(this);
    sshd = started.use(await startSshd());
    host = hostOn(sshd);
    started.use({
      stop: async () => {
        await stopModel(host, "/opt/berth");
        host.close();
      },
    });
    const bin = join(sshd.root, `opt/berth/engines/vllm-${vllmRelease.version}/bin`);
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "vllm"), `#!/bin/sh\nshift\nexec python3 -B ${fake} "$@"\n`, {
      mode: 0o755,
    });
    for (const [name, change] of Object.entries({
      acme: {},
      dora: { use_dora: true },
      high: { r: 64 },
      dies: { dies: true },
    })) {
      const folder = join(sshd.root, "opt/berth/weights/adapters", name);
      await mkdir(folder, { recursive: true });
      const config = { peft_type: "LORA", r: 16, ...change };
      await writeFile(join(folder, "adapter_config.json"), JSON.stringify(config));
    }
    inputs = {
      ...{ engine: "vllm", modelId: "base", weightsFolder: "/opt/berth/weights/base" },
      ...{ dataFolder: "/opt/berth", port: await freePort(), contextTokens: 64, tensorParallel: 1 },
      ...{ quantise: "none", weightsVersion: "1", arguments: [], adapterRank: 16 },
    };
  });
  after(() => started.stop());

  const named = (...names: readonly string[]) => ({
    ...inputs,
    adapters: names.map((name) => ({ name, folder: `/opt/berth/weights/adapters/${name}` })),
  });
  const ask = async (model: string) => {
    const body = JSON.stringify({ model, prompt: "a", max_tokens: 2 });
    const call = { path: "/v1/completions", body, timeoutMs: 10_000 };
    const answer = await callModel({ port: inputs.port }, call);
    return { status: answer.statusCode, text: await wholeText(answer) };
  };

  it("answer by their own names, and the model by its", async () => {
    await serveModel(host, named("acme"), operation());
    assert.match((await ask("acme")).text, /by acme/);
    assert.match((await ask("base")).text, /by base/);
    assert.equal((await ask("other")).status, 404);
  });

  it("are refused before the server is touched, each with its reason", async () => {
    await assert.rejects(
      serveModel(host, named("acme", "dora", "high", "none"), operation()),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.deepEqual(error.problems, [
          "dora: it has DoRA's magnitudes",
          "high: its rank is 64; berth:adapterRank has to be as high, and is 16",
          "none: adapter_config.json is missing, or not PEFT's",
        ]);
        return true;
      },
    );
    assert.match((await ask("acme")).text, /by acme/);
  });

  const lost = new SshError("lost", "the connection was lost");
  /** The host, whose connection is lost when it is asked for something. */
  const losing = (asked: string) =>
    new Proxy(host, {
      get: (of, name) => {
        const member: unknown = Reflect.get(of, name, of);
        if (typeof member !== "function") return member;
        if (name !== "script") return member.bind(of) as unknown;
        return (text: string, options: ScriptOptions) =>
          text.includes(asked) ? Promise.reject(lost) : host.script(text, options);
      },
    });

  it("are not called wrong where the host does not answer", async () => {
    await assert.rejects(servedAdapters(losing("adapter_config"), named("acme")), lost);
  });

  it("are served all the same where an older engine cannot be removed", async () => {
    const told = operation();
    await serveModel(losing("remove-engines.sh"), named("acme"), told);
    assert.equal(
      told.lines.at(-1),
      "an older engine could not be removed: the connection was lost",
    );
  });

  it("are asked before the server counts as up: one that kills it is an error with its last words", async () => {
    await assert.rejects(serveModel(host, named("acme", "dies"), operation(60)), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /the model server ended/);
      assert.match(error.problems.join(), /CUDA error: an illegal memory access/);
      return true;
    });
  });
});
