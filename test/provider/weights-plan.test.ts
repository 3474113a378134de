import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { UserError } from "../../components/user-error.ts";
import type { WeightsStore } from "../../provider/adapters/s3.ts";
import { sharedListing } from "../../provider/shared-listing.ts";
import { describeWeights, storeOf, trafficText } from "../../provider/weights-plan.ts";

describe("the list of weights for several hosts", () => {
  const objects = [{ path: "a.safetensors", key: "m/a.safetensors", size: 1, etag: '"1"' }];

  /** A store that counts how often it is asked, and may refuse. */
  function counted(refuses = false) {
    let asked = 0;
    const describe = () => {
      asked += 1;
      return refuses ? Promise.reject(new Error("SlowDown")) : Promise.resolve(objects);
    };
    return { store: { describe } as unknown as WeightsStore, times: () => asked };
  }
  const inputs = { bucket: "b", prefix: "m/", region: "us-east-1", folder: "", dataFolder: "" };

  it("is asked for once, and anew when something changed, or when it failed", async () => {
    const good = counted();
    const all = await Promise.all([1, 2, 3].map(() => sharedListing(good.store, inputs, false)));
    assert.deepEqual(all, [objects, objects, objects]);
    assert.equal(good.times(), 1);
    await sharedListing(good.store, inputs, true);
    await sharedListing(good.store, inputs, false);
    assert.equal(good.times(), 2);
    await sharedListing(good.store, { ...inputs, include: ["*.json"] }, false);
    assert.equal(good.times(), 3);
    const bad = counted(true);
    const other = { ...inputs, bucket: "refused" };
    await assert.rejects(sharedListing(bad.store, other, false), /cannot be listed/);
    await assert.rejects(sharedListing(bad.store, other, false), /cannot be listed/);
    assert.equal(bad.times(), 2);
  });
});

describe("a bucket in another region", () => {
  const saved = { ...process.env };
  let server: Server;
  const inputs = { bucket: "far", prefix: "m/", region: "us-east-1", folder: "", dataFolder: "" };

  before(async () => {
    server = createServer((_request, response) => {
      response.writeHead(301, { "x-amz-bucket-region": "eu-west-1" });
      response.end("<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    process.env["AWS_ENDPOINT_URL_S3"] = `http://127.0.0.1:${String(port)}`;
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" });
  });
  after(() => {
    server.close();
    for (const name of ["AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
      if (saved[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = saved[name];
  });

  it("is refused before a byte crosses, with what that would cost and how to allow it", async () => {
    const store = storeOf(inputs);
    try {
      await assert.rejects(describeWeights(store, inputs), (error: UserError) => {
        assert.match(error.message, /far is in eu-west-1, and the host in us-east-1/);
        assert.match(error.hint ?? "", /\$0\.\d+ a GB.*berth:weightsRegion: eu-west-1/);
        return true;
      });
    } finally {
      store.close();
    }
  });

  it("costs by the byte where it is allowed, and nothing in the same region", () => {
    const bytes = 100 * 1024 ** 3;
    assert.match(
      trafficText({ ...inputs, bucketRegion: "eu-west-1" }, bytes) ?? "",
      /about \$2\.\d\d/,
    );
    assert.equal(trafficText({ ...inputs, bucketRegion: "us-east-1" }, bytes), undefined);
    assert.equal(trafficText(inputs, bytes), undefined);
  });
});
