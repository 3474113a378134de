import assert from "node:assert/strict";
import { deployment } from "./endpoint-deployment.ts";

describe("What an endpoint's containers and buckets let through", () => {
  it("shuts containers in where that is asked for, further ones too, but none without instances", async () => {
    const isolation = { "berth:networkIsolation": true };
    const { named } = await deployment({
      ...isolation,
      "berth:endpointMode": "realtime",
      "berth:shadow": {},
    });
    for (const name of ["dev-endpoint-model", "dev-endpoint-shadow-model"])
      assert.equal(named(name).inputs["enableNetworkIsolation"], true);
    const open = await deployment();
    assert.equal(open.named("dev-endpoint-model").inputs["enableNetworkIsolation"], undefined);
    assert.throws(
      () =>
        deployment({
          ...isolation,
          "berth:endpointMode": "serverless",
          "berth:model": "qwen2.5-1.5b",
        }),
      ({ problems }: { problems?: readonly string[] }) =>
        problems?.some((each) => each.startsWith("networkIsolation: not with")),
    );
  });

  it("is one object of the weights alone where they are an archive", () => {
    assert.throws(
      () =>
        deployment({ "berth:endpointMode": "serverless", "berth:weightsArchive": "a/*.tar.gz" }),
      ({ problems }: { problems?: readonly string[] }) =>
        problems?.some((each) => each.includes("weightsArchive: must be a plain key")),
      "the role would read what is not the model's",
    );
  });

  it("is no prompt over the open network, or in public", async () => {
    const { named } = await deployment();
    // Prompts are people's own words: nobody reads them over the open network, or in public.
    assert.match(String(named("dev-endpoint-queue-tls").inputs["policy"]), /"TlsOnly".*"Deny"/);
    assert.equal(named("dev-endpoint-queue-private").inputs["restrictPublicBuckets"], true);
  });
});
