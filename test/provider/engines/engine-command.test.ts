import assert from "node:assert/strict";
import type { Host } from "../../../provider/adapters/ssh.ts";
import { engineCommand, type EngineLaunch } from "../../../provider/engines/engine-command.ts";

/** A host that has Node and is asked for nothing else. */
const host = { output: () => Promise.resolve("have /usr/bin/node v24.1.0") } as unknown as Host;

const launch: EngineLaunch = {
  engine: "vllm",
  modelId: "m",
  weights: "/w",
  dataFolder: "/d",
  port: 8000,
  listenAddress: "127.0.0.1",
  contextTokens: 512,
  tensorParallel: 2,
  quantise: "none",
};

async function words(change: Partial<EngineLaunch>): Promise<string> {
  return (await engineCommand(host, { ...launch, ...change })).join(" ");
}

describe("engineCommand", () => {
  it("starts each engine on loopback with the context that was planned", async () => {
    assert.match(
      await words({}),
      /bin\/vllm serve \/w --host 127\.0\.0\.1 --port 8000 .*--max-model-len 512 --tensor-parallel-size 2$/,
    );
    assert.match(
      await words({ engine: "llama.cpp" }),
      /^\/usr\/bin\/node \/d\/engines\/llama-server\/server\.mjs --model \/w .*--context 512$/,
    );
    assert.match(
      await words({ engine: "transformers", quantise: "int8" }),
      /^\/d\/python\/bin\/python \/d\/engines\/python-server-\w{12}\/main\.py --kind text .*--quantise int8$/,
    );
    assert.match(
      await words({ engine: "diffusers" }),
      /--kind image --model \/w --id m --host 127\.0\.0\.1 --port 8000$/,
    );
  });

  it("has vLLM serve adapters by their names, with room for all of them", async () => {
    const adapters = [
      { name: "acme", folder: "/a/acme" },
      { name: "sales", folder: "/a/sales" },
    ];
    assert.match(
      await words({ adapters, adapterRank: 32 }),
      / --enable-lora --max-loras 2 --max-lora-rank 32 --lora-modules acme=\/a\/acme sales=\/a\/sales$/,
    );
    assert.doesNotMatch(await words({ adapters: [] }), /lora/);
  });

  it("hands on what the stack says of cache and sampling, in each engine's own words", async () => {
    const sampling = { temperature: 0.7, topP: 0.9 };
    const vllm = await words({ ...sampling, kvCacheDtype: "fp8", quantise: "int4" });
    assert.match(vllm, /--quantization bitsandbytes --kv-cache-dtype fp8/);
    assert.match(vllm, /--override-generation-config \{"temperature":0\.7,"top_p":0\.9\}$/);
    const llama = await words({ ...sampling, engine: "llama.cpp", kvCacheDtype: "q8_0" });
    assert.match(llama, /--kv-type Q8_0 --temperature 0\.7 --top-p 0\.9$/);
    const transformers = await words({ ...sampling, engine: "transformers" });
    assert.match(transformers, /--temperature 0\.7 --top-p 0\.9$/);
  });

  it("names files for what is secret, and never the secret", async () => {
    const tls = { certificateFile: "/s/cert", keyFile: "/s/key" };
    const access = { tls, tokenFile: "/s/token", listenAddress: "0.0.0.0" };
    const vllm = await words(access);
    assert.match(
      vllm,
      /--host 0\.0\.0\.0 --port 8000 --ssl-certfile \/s\/cert --ssl-keyfile \/s\/key/,
    );
    assert.doesNotMatch(vllm, /token/);
    for (const engine of ["llama.cpp", "transformers", "diffusers"] as const) {
      const told = /--token-file \/s\/token --tls-certificate \/s\/cert --tls-key \/s\/key/;
      assert.match(await words({ ...access, engine }), told);
    }
  });
});
