import assert from "node:assert/strict";
import { readDenials } from "../../../components/weights/bucket-policy.ts";

const place = { bucket: "models", prefix: "m/" };
const all = { Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "arn:aws:s3:::models/*" };

function denials(...Statement: object[]) {
  return readDenials(JSON.stringify({ Version: "2012-10-17", Statement }), place);
}

describe("readDenials", () => {
  it("names what keeps everybody away, with its conditions", () => {
    assert.deepEqual(denials(all), [{ name: "statement 1", conditions: [] }]);
    const Condition = { StringNotEquals: { "aws:SourceVpce": "vpce-1" } };
    const Principal = { AWS: ["*"] };
    const vpcOnly = { ...all, Sid: "VpcOnly", Principal, Action: ["s3:Get*"], Condition };
    assert.deepEqual(denials(vpcOnly), [{ name: "VpcOnly", conditions: ["aws:SourceVpce"] }]);
    const others = { ...all, Principal: undefined, NotPrincipal: { AWS: "arn:aws:iam::1:root" } };
    assert.deepEqual(denials(others), [{ name: "statement 1", conditions: ["NotPrincipal"] }]);
  });

  it("leaves out what does not hold for a role that reads below the prefix", () => {
    const Condition = { Bool: { "aws:SecureTransport": "false" } };
    assert.deepEqual(denials({ ...all, Condition }), [], "only plain HTTP");
    assert.deepEqual(denials({ ...all, Effect: "Allow" }), []);
    assert.deepEqual(denials({ ...all, Action: "s3:PutObject" }), []);
    assert.deepEqual(denials({ ...all, Resource: "arn:aws:s3:::models/other/*" }), []);
    assert.deepEqual(denials({ ...all, Principal: { AWS: "arn:aws:iam::1:role/one" } }), []);
  });
});
