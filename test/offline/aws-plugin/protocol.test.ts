import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { without } from "../../../offline/aws-plugin/engine/defined.ts";
import { readSettings } from "../../../offline/aws-plugin/engine/settings.ts";
import { unknown } from "../../../offline/aws-plugin/engine/wire.ts";
import { pluginPb, providerServices, emptyPb } from "../../../offline/aws-plugin/engine/stubs.ts";
import { PluginClient, startPlugin } from "./plugin-client.ts";

const executable = join(import.meta.dirname, "../../../offline/aws-plugin/pulumi-resource-aws");
const local = { AWS_ENDPOINT_URL: "http://127.0.0.1:9" };

describe("pulumi-resource-aws", () => {
  it("prints its port, says its version, and ends when asked", async () => {
    const child = spawn(executable, ["127.0.0.1:1"], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
      assert.match(line, /^\d+$/);
      const client = new PluginClient(Number(line));
      const { getPluginInfo } = providerServices.ResourceProviderService;
      const info = await client.call(getPluginInfo, new emptyPb.Empty());
      assert.ok(info instanceof pluginPb.PluginInfo);
      assert.equal(info.getVersion(), "7.48.0");
      client.close();
    } finally {
      child.kill();
      await once(child, "exit");
    }
  });
});

describe("readSettings", () => {
  it("refuses an endpoint that is not loopback, and a missing one", () => {
    for (const url of ["https://ec2.us-east-1.amazonaws.com", "http://10.0.0.1:80", "nonsense"]) {
      assert.throws(
        () => readSettings({ region: "us-east-1" }, { AWS_ENDPOINT_URL: url }),
        /not loopback/,
      );
    }
    assert.throws(() => readSettings({ region: "us-east-1" }, {}), /AWS_ENDPOINT_URL is not set/);
    const endpoints = [{ s3: "https://s3.amazonaws.com" }];
    assert.throws(() => readSettings({ region: "r", endpoints }, local), /endpoint of s3/);
  });

  it("takes every form of loopback, and others when told to", () => {
    for (const url of ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"]) {
      assert.equal(
        readSettings({ region: "r" }, { AWS_ENDPOINT_URL: url }).endpoints.get("*"),
        url,
      );
    }
    const settings = readSettings({ region: "r" }, { BERTH_AWS_PLUGIN_ALLOW_REMOTE: "1" });
    assert.equal(settings.endpoints.size, 0);
  });

  it("needs a region, and takes it from the environment too", () => {
    assert.throws(() => readSettings({}, local), /no region/);
    assert.equal(readSettings({}, { ...local, AWS_REGION: "eu-west-1" }).region, "eu-west-1");
  });

  it("reads default tags as an object and as text", () => {
    const tags = { a: "b" };
    const asText = JSON.stringify({ tags });
    assert.deepEqual(readSettings({ region: "r", defaultTags: { tags } }, local).defaultTags, tags);
    assert.deepEqual(readSettings({ region: "r", defaultTags: asText }, local).defaultTags, tags);
  });
});

describe("checks and previews of the AWS plugin", () => {
  let client: PluginClient;
  let stop: () => void;
  let endpoint: string | undefined;
  before(async () => {
    endpoint = process.env["AWS_ENDPOINT_URL"];
    process.env["AWS_ENDPOINT_URL"] = local.AWS_ENDPOINT_URL;
    ({ client, stop } = await startPlugin());
    const defaultTags = { tags: { team: "a" } };
    const response = await client.configure({ region: "eu-west-1", defaultTags });
    assert.equal(response.getSupportspreview(), true);
    assert.equal(response.getAcceptsecrets(), true);
  });
  after(() => {
    if (endpoint === undefined) Reflect.deleteProperty(process.env, "AWS_ENDPOINT_URL");
    else process.env["AWS_ENDPOINT_URL"] = endpoint;
    stop();
  });

  it("names every wrong input at once", async () => {
    const inputs = { cidrBlok: "10.0.0.0/16", enableDnsSupport: "perhaps", instanceTenancy: "odd" };
    await assert.rejects(client.check("aws:ec2/vpc:Vpc", "v", inputs), (error: Error) => {
      assert.match(error.message, /cidrBlok: unknown input "cidrBlok"/);
      assert.match(error.message, /cidrBlock: missing/);
      assert.match(error.message, /enableDnsSupport: must be true or false/);
      assert.match(error.message, /instanceTenancy: must be one of default, dedicated/);
      return true;
    });
    await assert.rejects(
      client.check("aws:ec2/launchTemplate:LaunchTemplate", "v", {
        metadataOptions: { tokens: "x" },
      }),
      /metadataOptions\.tokens: unknown input/,
    );
    await assert.rejects(
      client.check("aws:ec2/eip:Eip", "v", {}),
      /no resource type aws:ec2\/eip:Eip/,
    );
  });

  it("makes names once and keeps them, within AWS's limit", async () => {
    const token = "aws:s3/bucket:Bucket";
    const first = await client.check(token, "MyBucket", {});
    assert.match(String(first["bucket"]), /^mybucket-[0-9a-f]{7}$/);
    assert.deepEqual(await client.check(token, "MyBucket", {}, first), first);
    const given = await client.check(token, "MyBucket", { bucket: "mine" });
    assert.match(
      String((await client.check(token, "MyBucket", {}, given))["bucket"]),
      /^mybucket-[0-9a-f]{7}$/,
      "a name that was given and is no longer makes a new one",
    );
    await assert.rejects(
      client.check(token, "b".repeat(60), {}),
      /longer than AWS's 63 characters/,
    );
  });

  it("shows tags with the provider's, and what AWS chooses as unknown", async () => {
    const inputs = { cidrBlock: "10.0.0.0/16", tags: { Name: "v" } };
    const shown = await client.preview("aws:ec2/vpc:Vpc", "v", inputs);
    assert.deepEqual(shown["tagsAll"], { Name: "v", team: "a" });
    assert.equal(shown["arn"], unknown);
    assert.equal(shown["cidrBlock"], "10.0.0.0/16");
    assert.equal(shown["region"], "eu-west-1");
    const open = await client.preview("aws:ec2/subnet:Subnet", "s", {
      vpcId: unknown,
      cidrBlock: "10.0.0.0/24",
    });
    assert.equal(open["vpcId"], unknown);
    assert.equal(open["availabilityZone"], unknown);
  });

  it("says that nothing answers, and where", async () => {
    const role = { assumeRolePolicy: "{}" };
    await client.configure({ region: "eu-west-1", maxRetries: 0 });
    await assert.rejects(
      client.create("aws:iam/role:Role", "r", role),
      /Nothing answers at http:\/\/127\.0\.0\.1:9 \(AWS_ENDPOINT_URL\)/,
    );
  });

  it("compares policies by what they say", async () => {
    const token = "aws:s3/bucketPolicy:BucketPolicy";
    const statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "*" };
    const one = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    const two = JSON.stringify(
      { Statement: { ...statement, Action: ["s3:GetObject"] }, Version: "2012-10-17" },
      undefined,
      2,
    );
    const inputs = await client.check(token, "p", { bucket: "b", policy: one });
    const old = { token, name: "p", id: "b", inputs, outputs: inputs };
    assert.equal((await client.diff(old, { bucket: "b", policy: two })).some, false);
    const other = one.replace("GetObject", "PutObject");
    const changed = await client.diff(old, { bucket: "b", policy: other });
    assert.deepEqual(changed.detailed, { policy: "UPDATE" });
  });

  it("keeps what AWS chose when the program says nothing of it any more", async () => {
    const token = "aws:ec2/subnet:Subnet";
    const given = { vpcId: "vpc-1", cidrBlock: "10.0.0.0/24", availabilityZone: "eu-west-1a" };
    const inputs = await client.check(token, "s", given);
    const old = { token, name: "s", id: "subnet-1", inputs, outputs: inputs };
    const less = without(given, "availabilityZone");
    assert.equal((await client.diff(old, less)).some, false);
    const other = await client.diff(old, { ...given, vpcId: unknown });
    assert.deepEqual(other.detailed, { vpcId: "UPDATE_REPLACE" });
  });

  it("previews an update with what is known", async () => {
    const token = "aws:ec2/launchTemplate:LaunchTemplate";
    const inputs = await client.check(token, "t", { instanceType: "g5.xlarge", description: "d" });
    const outputs = { ...inputs, id: "lt-1", arn: "arn", latestVersion: 1, defaultVersion: 1 };
    const old = { token, name: "t", id: "lt-1", inputs, outputs };
    const shown = (await client.update(old, { instanceType: "g6.xlarge" }, true)).outputs;
    assert.equal(shown["instanceType"], "g6.xlarge");
    assert.equal(shown["arn"], "arn");
    assert.equal(shown["latestVersion"], unknown);
    assert.equal("description" in shown, false);
  });
});
