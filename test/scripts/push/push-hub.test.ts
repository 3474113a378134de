import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as s3 from "@aws-sdk/client-s3";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { explainUserError, UserError } from "../../../components/user-error.ts";
import { openHub } from "../../../scripts/push/hub-source.ts";
import type { WeightsSource } from "../../../scripts/push/source.ts";
import { HubServer } from "./hub-server.ts";
import { PushedBucket, safetensors } from "./support.ts";

const patience = { attempts: 4, pauseMs: 5, idleMs: 300 };
const token = "hf_abcDEF0123456789";

describe("berth push from Hugging Face", () => {
  let cloud: Cloud;
  let place: PushedBucket;
  let hub: HubServer;
  let count = 0;
  const shard = safetensors(randomBytes(17 * 1024 * 1024));

  before(async () => {
    cloud = await startCloud({ tier: "none" });
  });
  after(() => cloud.stop());

  beforeEach(async () => {
    hub = new HubServer();
    await hub.start();
    hub.files.set("model.safetensors", shard);
    hub.files.set("pytorch_model.bin", randomBytes(100));
    hub.files.set("config.json", Buffer.from("{}"));
    hub.files.set("LICENSE.txt", Buffer.from("terms"));
    hub.files.set("README.md", Buffer.from("card"));
    place = new PushedBucket(cloud, `hub-${(count += 1)}`);
    await place.client.send(new s3.CreateBucketCommand({ Bucket: place.bucket }));
  });
  afterEach(async () => {
    place.client.destroy();
    await hub.stop();
  });

  const open = (environment: NodeJS.ProcessEnv = {}): Promise<WeightsSource> =>
    openHub(
      hub.repository,
      { HF_ENDPOINT: hub.endpoint, HF_HOME: "/nonexistent", ...environment },
      patience,
    );

  it("streams a model's files at one commit, and checks the SHA-256 that the hub publishes", async () => {
    const { lines } = await place.push(await open({ HF_TOKEN: token }));
    assert.deepEqual(await place.content("model.safetensors"), shard);
    assert.equal((await place.content("LICENSE.txt")).toString(), "terms");
    const manifest = await place.manifest();
    assert.equal(manifest.source, `hf:${hub.repository}@${hub.commit}`);
    assert.deepEqual(manifest.files.map(({ path }) => path).toSorted(), [
      "LICENSE.txt",
      "README.md",
      "config.json",
      "model.safetensors",
    ]);
    assert.ok(lines.some((line) => /skip +pytorch_model.bin/.test(line)));
    assert.deepEqual(hub.tokensAtStore, [], "the token stays with the hub");
    assert.ok(!JSON.stringify([manifest, lines]).includes(token));
    const asked = hub.requests.filter((line) => line.includes("resolve")).length;
    assert.ok(asked <= 6, `${asked} addresses asked for`);
  });

  it("asks for no bytes when the commit is there already", async () => {
    await place.push(await open());
    hub.storeBytes = 0;
    const { plan } = await place.push(await open());
    assert.equal(plan.upToDate, true);
    // The header of the weights is looked at each time, and nothing else.
    assert.ok(hub.storeBytes < 1000);
  });

  for (const kind of ["429", "503", "reset", "short", "stall", "expired", "whole"] as const) {
    it(`gets over ${kind}`, async () => {
      const source = await open();
      hub.faults.push({ kind, at: "store", times: kind === "expired" ? 1 : 2 });
      if (kind === "expired")
        await source
          .read(source.files[0]!, 0, Buffer.alloc(1), new AbortController().signal)
          .catch(() => undefined);
      await place.push(source).catch((error: unknown) => {
        throw new Error(explainUserError(error as UserError), { cause: error });
      });
      assert.deepEqual(await place.content("model.safetensors"), shard);
    });
  }

  it("keeps nothing of a file whose SHA-256 is another than the hub says", async () => {
    hub.faults.push({ kind: "flip", at: "store", times: 3 });
    await assert.rejects(place.push(await open()), /SHA-256 differs/);
    assert.ok(!(await place.keys()).includes("llama/model.safetensors"));
    assert.equal(await place.uploads(), 0);
    hub.faults = [];
    await place.push(await open());
    assert.deepEqual(await place.content("model.safetensors"), shard);
  });

  it("keeps nothing of a small file that is not the blob that the hub names", async () => {
    hub.published.set("config.json", "0".repeat(40));
    await assert.rejects(place.push(await open()), /config.json .* the git blob differs/);
    assert.ok(!(await place.keys()).includes("llama/config.json"));
  });

  it("says where a gated model's licence is accepted", async () => {
    hub.gatedFor = token;
    const page = `${hub.endpoint}/${hub.repository}`;
    for (const [environment, hint] of [
      [{}, "HF_TOKEN"],
      [{ HF_TOKEN: "hf_other" }, "account that the token belongs to"],
    ] as const) {
      await assert.rejects(open(environment), (error: UserError) => {
        assert.match(error.message, /is gated on Hugging Face/);
        assert.ok(error.hint?.includes(page));
        assert.ok(error.hint?.includes(hint));
        assert.ok(!explainUserError(error).includes("hf_other"));
        return true;
      });
    }
    await place.push(await open({ HF_TOKEN: token }));
    assert.deepEqual(await place.content("model.safetensors"), shard);
  });

  it("names a model or revision that is not there, and gives up on a hub that stays away", async () => {
    const environment = { HF_ENDPOINT: hub.endpoint, HF_HOME: "/nonexistent" };
    await assert.rejects(openHub("a/b", environment, patience), /has no model "a\/b"/);
    await assert.rejects(
      openHub(`${hub.repository}@nope`, environment, patience),
      /no such revision/,
    );
    await assert.rejects(openHub("../x", environment), /does not name a model/);
    hub.faults.push({ kind: "503", at: "hub", times: 99 });
    await assert.rejects(open(), /the hub answered 503 \(4 tries\)/);
  });

  it("sends no token in the clear, and repeats none that is wrong", async () => {
    const clear = { HF_ENDPOINT: "http://hub.example", HF_TOKEN: token };
    await assert.rejects(openHub("a/b", clear), /in the clear/);
    await assert.rejects(openHub("a/b", { HF_TOKEN: "s3cret!" }), (error: UserError) => {
      assert.ok(!explainUserError(error).includes("s3cret"));
      return true;
    });
  });
});
