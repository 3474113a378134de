import assert from "node:assert/strict";
import { CreateRepositoryCommand, ECRClient, PutImageCommand } from "@aws-sdk/client-ecr";
import * as ec2 from "@aws-sdk/client-ec2";
import {
  CreateBucketCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { loadCatalogue } from "../../../../components/catalogue/load.ts";
import { planEndpoint } from "../../../../components/sagemaker-endpoint/endpoint-plan.ts";
import { loadServingImages } from "../../../../components/sagemaker-endpoint/load-serving-images.ts";
import { UserError } from "../../../../components/user-error.ts";
import { startCloud, type Cloud } from "../../../../offline/cloud/cloud.ts";
import { checkArchive } from "../../../../scripts/adapters/archive-check.ts";
import { allOf } from "../../../../scripts/adapters/endpoint/endpoint-checks.ts";
import { checkEndpointQuota } from "../../../../scripts/adapters/endpoint/endpoint-quota.ts";
import { checkNetwork } from "../../../../scripts/adapters/endpoint/network-check.ts";
import { checkImage, checkPinnedImage } from "../../../../scripts/adapters/image-check.ts";
import { readDigest } from "../../../../scripts/adapters/image-digests.ts";
import { checkWeightsAccess } from "../../../../scripts/adapters/weights-access.ts";
import { checkWeights, missingFiles } from "../../../../scripts/adapters/weights-check.ts";
import { makeNetwork, settingsFor } from "../../../offline/cloud/account.ts";

/** What a refusal names. */
interface Refusal {
  readonly problems?: readonly string[];
}

const plan = planEndpoint(
  {
    model: "qwen2.5-7b",
    env: "dev",
    region: "us-east-1",
    spot: false,
    leaseHours: 4,
    endpointMode: "realtime",
    minInstances: 1,
    maxInstances: 1,
  },
  loadCatalogue(),
  loadServingImages(),
);

/** The least that ECR takes for an image. */
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.docker.distribution.manifest.v2+json",
  config: { mediaType: "a", size: 1, digest: `sha256:${"a".repeat(64)}` },
  layers: [],
});

describe("missingFiles", () => {
  it("names what an engine would not find", () => {
    assert.deepEqual(missingFiles("llama.cpp", ["model.gguf"]), []);
    assert.deepEqual(missingFiles("llama.cpp", ["model.bin"]), ["a .gguf file"]);
    assert.deepEqual(missingFiles("vllm", []), [
      "config.json",
      "the tokenizer's files",
      "a .safetensors file",
    ]);
  });

  it("counts the shards by what their names say", () => {
    const shards = ["model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors"];
    assert.deepEqual(missingFiles("vllm", ["config.json", "tokenizer.json", ...shards]), [
      "model-00002-of-00003.safetensors",
    ]);
  });
});

describe("allOf", () => {
  const refusal = () => Promise.reject(new UserError("no room"));

  it("names all refusals, and throws what is none as it came", async () => {
    assert.deepEqual(await allOf([Promise.resolve("one"), Promise.resolve(["two"])]), [
      "one",
      "two",
    ]);
    await assert.rejects(allOf([refusal(), Promise.resolve([])]), { message: "no room" });
    await assert.rejects(allOf([refusal(), refusal()]), (error: UserError) => {
      assert.deepEqual(error.problems, ["no room", "no room"]);
      return true;
    });
    const mistake = new TypeError("of undefined");
    await assert.rejects(allOf([refusal(), Promise.reject(mistake)]), mistake);
  });
});

describe("what an endpoint needs of the account", () => {
  let cloud: Cloud;
  const scope = () => ({ stack: "dev", region: "us-east-1", client: settingsFor(cloud) });

  before(async () => {
    cloud = await startCloud({ tier: "none" });
    const s3 = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "models" }));
    await s3.send(new PutObjectCommand({ Bucket: "models", Key: "m/config.json", Body: "{}" }));
  });
  after(() => cloud.stop());
  afterEach(() => {
    cloud.clearFaults();
  });

  it("has the archive of a serverless endpoint, and room for its requests at once", async () => {
    const key = "m/model.tar.gz";
    await assert.rejects(checkArchive(scope(), { bucket: "models", key }), {
      message: "There is no s3://models/m/model.tar.gz, which a serverless endpoint unpacks.",
    });
    await assert.rejects(checkArchive(scope(), { bucket: "nowhere", key }), /There is no s3/);
    const s3 = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    await s3.send(new PutObjectCommand({ Bucket: "models", Key: key, Body: "x" }));
    assert.equal(await checkArchive(scope(), { bucket: "models", key }), undefined);
    cloud.setFault({ kind: "access-denied", service: "s3" });
    assert.match(
      (await checkArchive(scope(), { bucket: "models", key }))!,
      /could not be looked at/,
    );
    cloud.clearFaults();

    const serverless = (concurrency: number) =>
      planEndpoint(
        {
          ...{ model: "qwen2.5-1.5b", env: "dev", region: "us-east-1", spot: false },
          ...{ leaseHours: 4, endpointMode: "serverless", minInstances: 0, maxInstances: 1 },
          concurrency,
        },
        loadCatalogue(),
        loadServingImages(),
      );
    assert.deepEqual(await checkEndpointQuota(scope(), serverless(10)), []);
    await assert.rejects(checkEndpointQuota(scope(), serverless(11)), {
      message: /Maximum total concurrency.* is 10 in us-east-1, 0 of it are in use, and 11/,
      hint: /L-96300102, or lower berth:concurrency/,
    });
  });

  it("has room in its quota, found by name", async () => {
    assert.deepEqual(await checkEndpointQuota(scope(), plan), []);
  });

  it("is refused a quota of 0, with where to ask for more", async () => {
    cloud.setFault({ kind: "quota", service: "sagemaker", instanceType: "ml.g6.xlarge" });
    await assert.rejects(
      checkEndpointQuota(scope(), plan),
      (error: { message: string; hint?: string }) =>
        error.message.includes('"ml.g6.xlarge for endpoint usage" is 0') &&
        /servicequotas\/home\/services\/sagemaker\/quotas\/L-[0-9A-F]{8}/.test(error.hint ?? ""),
    );
  });

  it("is warned, not held, when the quota cannot be read", async () => {
    cloud.setFault({ kind: "access-denied", service: "servicequotas" });
    assert.match((await checkEndpointQuota(scope(), plan)).join(), /could not be read/);
  });

  it("is warned of a type that has no quota to stand in", async () => {
    cloud.setFault({ kind: "quota", service: "sagemaker", instanceType: "ml.g5.xlarge" });
    const pools = ["ml.g6.xlarge", "ml.g5.xlarge"].map((instanceType) => ({
      instanceType,
      hourlyUsd: 1,
    }));
    const pooled = { ...plan, endpoint: { ...plan.endpoint, pools } };
    assert.deepEqual(await checkEndpointQuota(scope(), pooled), [
      "ml.g5.xlarge will not stand in: its quota is 0, and 1 are needed",
    ]);
  });

  it("is refused an image that is not in ECR, and warned when ECR does not say", async () => {
    const ecr = new ECRClient(settingsFor(cloud));
    await ecr.send(new CreateRepositoryCommand({ repositoryName: "own" }));
    await ecr.send(
      new PutImageCommand({ repositoryName: "own", imageTag: "1", imageManifest: manifest }),
    );
    const registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com";
    const check = (image: string) => checkImage(scope(), `${registry}/${image}`);
    assert.deepEqual(await check("own:1"), []);
    assert.deepEqual(await checkImage(scope(), undefined), []);
    await assert.rejects(check("own:2"), /There is no image .*own:2/);
    await assert.rejects(check("other:1"), /There is no repository "other" in ECR of 123456789012/);
    cloud.setFault({ kind: "access-denied", service: "ecr" });
    assert.match((await check("own:1")).join(), /could not be looked up .*not authorized/);
  });

  it("is refused an image of AWS's that is gone, and told of a tag that moved", async () => {
    const { image: tagged } = plan.endpoint.container;
    const byTag = plan.endpoint.container;
    const known = await readDigest(scope().client, tagged);
    assert.ok("digest" in known);
    const image = `${tagged.slice(0, tagged.lastIndexOf(":"))}@${known.digest}`;
    const byDigest = { image, pin: { tagged, digestAsOf: "2026-11-26" } };
    for (const each of [byTag, byDigest]) {
      assert.deepEqual(await checkPinnedImage(scope(), each), []);
    }

    cloud.setFault({ kind: "image-moved", key: "vllm:" });
    assert.deepEqual(await checkPinnedImage(scope(), byTag), []);
    const [moved = ""] = await checkPinnedImage(scope(), byDigest);
    assert.match(moved, /names sha256:\w{64} now; what it was on 2026-11-26, .* is deployed/);
    assert.ok(!moved.includes(known.digest), moved);

    cloud.setFault({ kind: "image-gone", key: "vllm:" });
    await assert.rejects(checkPinnedImage(scope(), byTag), /There is no image 7\S+vllm:server/);
    assert.match(
      (await checkPinnedImage(scope(), byDigest)).join(),
      /is there no more; what it was/,
    );
    cloud.setFault({ kind: "image-gone", key: "vllm@" });
    await assert.rejects(checkPinnedImage(scope(), byDigest), {
      message: /There is no image .*@sha256:\w+ any more/,
      hint: /catalogue refresh --env dev --region us-east-1$/,
    });

    cloud.clearFaults();
    const elsewhere = { ...byTag, image: tagged.replace("us-east-1", "eu-south-1") };
    await assert.rejects(
      checkPinnedImage({ ...scope(), client: settingsFor(cloud, "eu-south-1") }, elsewhere),
      /AWS's registry 763104351884 has no "vllm" in eu-south-1/,
    );
    for (const kind of ["access-denied", "throttle"] as const) {
      cloud.setFault({ kind, service: "ecr" });
      assert.match((await checkPinnedImage(scope(), byDigest)).join(), /could not be looked up/);
      assert.ok("failed" in (await readDigest(scope().client, tagged)));
      cloud.clearFaults();
    }
  });

  it("is refused a network that is not there, not in one piece, or open to the world", async () => {
    const client = new ec2.EC2Client(settingsFor(cloud));
    const { groupId, subnetIds } = await makeNetwork(client, ["us-east-1a", "us-east-1b"]);
    const network = { subnetIds, securityGroupIds: [groupId] };
    assert.deepEqual(await checkNetwork(scope(), network), []);
    const rule = { IpProtocol: "tcp", FromPort: 22, ToPort: 22 };
    await client.send(
      new ec2.AuthorizeSecurityGroupIngressCommand({
        GroupId: groupId,
        IpPermissions: [{ ...rule, IpRanges: [{ CidrIp: "0.0.0.0/0" }] }],
      }),
    );
    const { Subnets: [foreign] = [] } = await client.send(
      new ec2.DescribeSubnetsCommand({ Filters: [{ Name: "default-for-az", Values: ["true"] }] }),
    );
    const wrong = { ...network, subnetIds: [...subnetIds, foreign!.SubnetId!, "subnet-0a"] };
    await assert.rejects(checkNetwork(scope(), wrong), ({ problems = [] }: Refusal) => {
      assert.equal(problems.length, 3);
      assert.match(problems[0] ?? "", /there is no subnet-0a/);
      assert.match(problems[1] ?? "", /they are in several VPCs, vpc-\w+ and vpc-/);
      assert.match(problems[2] ?? "", /sg-\w+ lets everyone in to tcp 22, and nobody has to/);
      return true;
    });
    const apart = { ...network, subnetIds: [foreign!.SubnetId!] };
    await assert.rejects(checkNetwork(scope(), apart), ({ problems = [] }: Refusal) =>
      /sg-\w+ is in vpc-\w+, and the subnets in vpc-/.test(problems[0] ?? ""),
    );
    cloud.setFault({ kind: "access-denied", service: "ec2" });
    assert.match((await checkNetwork(scope(), wrong)).join(), /could not be looked at/);
    client.destroy();
  });

  it("is refused a bucket that lets nobody read, and warned of a key and a condition", async () => {
    const s3 = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    const access = { bucket: "models", prefix: "m/", weightsKmsKeyArn: undefined };
    assert.deepEqual(await checkWeightsAccess(scope(), access), []);
    const deny = async (more: object) => {
      const Statement = [
        { Effect: "Deny", Principal: "*", Action: "s3:GetObject", Resource: "*", ...more },
      ];
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
      await s3.send(new PutBucketPolicyCommand({ Bucket: "models", Policy }));
    };
    await deny({});
    await assert.rejects(checkWeightsAccess(scope(), access), /Nobody may read s3:\/\/models\/m\//);
    await deny({ Condition: { StringNotEquals: { "aws:SourceVpce": "vpce-1" } } });
    const key = "arn:aws:kms:us-east-1:123456789012:key/1";
    await s3.send(
      new PutObjectCommand({
        Bucket: "models",
        Key: "m/a.json",
        Body: "{}",
        ServerSideEncryption: "aws:kms",
        SSEKMSKeyId: key,
      }),
    );
    const [policy = "", encryption = ""] = await checkWeightsAccess(scope(), access);
    assert.match(policy, /under a condition \(statement 1: aws:SourceVpce\)/);
    assert.match(encryption, /m\/a\.json is encrypted with arn:aws:kms/);
    const right = { ...access, weightsKmsKeyArn: key };
    assert.equal((await checkWeightsAccess(scope(), right)).length, 1);
  });

  it("is refused weights that are not all there, and a bucket that is not", async () => {
    const place = { bucket: "models", prefix: "m/" };
    await assert.rejects(
      checkWeights(scope(), "vllm", place),
      (error: { problems?: readonly string[] }) =>
        error.problems?.includes("a .safetensors file is missing") === true,
    );
    await assert.rejects(
      checkWeights(scope(), "vllm", { ...place, bucket: "nobodys-bucket" }),
      /There is no bucket "nobodys-bucket"/,
    );
  });
});
