import assert from "node:assert/strict";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { tagContract } from "../../components/tag-contract.ts";
import { underMocks } from "../support/mocks.ts";

/** A component whose author thought of no tags. */
class Forgetful extends pulumi.ComponentResource {
  constructor(name: string, opts: pulumi.ComponentResourceOptions) {
    super("berth:test:Forgetful", name, {}, opts);
    new aws.ec2.Vpc(`${name}-vpc`, { cidrBlock: "10.0.0.0/16" }, { parent: this });
    const tags = { Name: "own", "berth:owner": "bob" };
    new aws.iam.Role(`${name}-role`, { assumeRolePolicy: "{}", tags }, { parent: this });
    new aws.iam.RolePolicy(`${name}-policy`, { role: "r", policy: "{}" }, { parent: this });
  }
}

describe("tagContract", () => {
  it("tags what a component forgot, keeps what it said, and leaves alone what takes no tags", async () => {
    const contract = { "berth:stack": "dev", "berth:owner": "alice" };
    const { named } = await underMocks(
      () => new Forgetful("it", { transformations: [tagContract(contract)] }),
    );
    assert.deepEqual(named("it-vpc").inputs["tags"], contract);
    assert.deepEqual(named("it-role").inputs["tags"], {
      "berth:stack": "dev",
      "berth:owner": "bob",
      Name: "own",
    });
    assert.equal(named("it-policy").inputs["tags"], undefined);
  });
});
