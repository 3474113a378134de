import assert from "node:assert/strict";
import { functionTokens } from "../../../offline/aws-plugin/types/registry.ts";
import { declaredFunction } from "./declarations.ts";
import { maker } from "./scenarios.ts";
import { startBench, type Bench } from "./support.ts";

const image =
  "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id";

describe("functions of the AWS plugin", () => {
  let bench: Bench;
  before(async () => {
    bench = await startBench();
  });
  after(async () => {
    await bench.stop();
  });

  async function invoke(name: string, args: Record<string, unknown>) {
    const token = functionTokens.find((one) => one.endsWith(`:${name}`)) ?? name;
    const found = await bench.client.invoke(token, args);
    const { results } = declaredFunction(token);
    assert.deepEqual(
      Object.keys(found).filter((key) => !(key in results) && key !== "region"),
      [],
      "answers only what is declared",
    );
    return found;
  }

  it("find the deep-learning image", async () => {
    const found = await invoke("getParameter", { name: image });
    assert.match(String(found["insecureValue"]), /^ami-/);
    assert.equal(found["value"], found["insecureValue"]);
  });

  it("list zones, and those that offer a type", async () => {
    const zones = await invoke("getAvailabilityZones", { state: "available" });
    assert.ok((zones["names"] as string[]).includes("us-east-1a"));
    const offered = await invoke("getInstanceTypeOfferings", {
      locationType: "availability-zone",
      filters: [{ name: "instance-type", values: ["g5.xlarge"] }],
    });
    assert.deepEqual([...new Set(offered["instanceTypes"] as string[])], ["g5.xlarge"]);
  });

  it("know the account and the region", async () => {
    assert.equal((await invoke("getCallerIdentity", {}))["accountId"], "123456789012");
    assert.equal((await invoke("getRegion", {}))["region"], "us-east-1");
  });

  it("find networks", async () => {
    const { make, clean } = maker(bench.client);
    const vpc = await make("aws:ec2/vpc:Vpc", { cidrBlock: "10.7.0.0/16", tags: { Name: "n" } });
    const subnet = await make("aws:ec2/subnet:Subnet", { vpcId: vpc.id, cidrBlock: "10.7.0.0/24" });
    const found = await invoke("getVpc", { tags: { Name: "n" } });
    assert.equal(found["id"], vpc.id);
    const filters = [{ name: "vpc-id", values: [vpc.id] }];
    assert.deepEqual((await invoke("getSubnets", { filters }))["ids"], [subnet.id]);
    const one = await invoke("getSubnet", { id: subnet.id });
    assert.equal(one["cidrBlock"], "10.7.0.0/24");
    await clean();
  });

  it("say what they did not find", async () => {
    await assert.rejects(invoke("getVpc", { id: "vpc-12345678" }), /vpc-12345678/);
    await assert.rejects(
      invoke("getInstance", { instanceId: "i-0123456789abcdef0" }),
      /No instance found for i-0123456789abcdef0/,
    );
    await assert.rejects(invoke("getParameter", { name: "/nothing" }), /ParameterNotFound/);
    await assert.rejects(invoke("getSubnet", { colour: "red" }), /unknown input "colour"/);
  });
});
