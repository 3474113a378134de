import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as s3 from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { newChecksum, type ChecksumName } from "../../../offline/cloud/s3/checksums.ts";
import { settingsFor } from "./account.ts";

describe("newChecksum", () => {
  // Check values of "123456789": CRC catalogues for the CRCs, FIPS 180-4 for the hashes.
  const known: readonly [ChecksumName, string][] = [
    ["crc32", "cbf43926"],
    ["crc32c", "e3069283"],
    ["crc64nvme", "ae8b14860a799888"],
    ["sha1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"],
    ["sha256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"],
  ];
  for (const [name, hex] of known) {
    it(`makes ${name}, in one piece or in several`, () => {
      const whole = newChecksum(name);
      whole.update(Buffer.from("123456789"));
      assert.equal(Buffer.from(whole.digest(), "base64").toString("hex"), hex);
      const pieces = newChecksum(name);
      for (const piece of ["1234", "", "56789"]) pieces.update(Buffer.from(piece));
      assert.equal(pieces.digest(), whole.digest());
    });
  }
});

describe("S3 of the cloud", () => {
  const Bucket = "weights";
  let cloud: Cloud;
  let folder: string;
  let client: s3.S3Client;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-s3-test-"));
    cloud = await startCloud({ tier: "none", stateFolder: folder });
    client = new s3.S3Client(settingsFor(cloud));
    await client.send(new s3.CreateBucketCommand({ Bucket }));
  });

  after(async () => {
    await cloud.stop();
    const left = readdirSync(folder);
    await rm(folder, { recursive: true, force: true });
    assert.deepEqual(left, []);
  });

  afterEach(() => {
    cloud.clearFaults();
  });

  const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");
  const body = async (output: s3.GetObjectCommandOutput): Promise<Buffer> =>
    Buffer.from(await output.Body!.transformToByteArray());

  for (const algorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA256"] as const) {
    it(`keeps what it is given, and tells its ${algorithm}`, async () => {
      const Key = `sum/${algorithm}`;
      const Body = randomBytes(300_000);
      const put = await client.send(
        new s3.PutObjectCommand({ Bucket, Key, Body, ChecksumAlgorithm: algorithm }),
      );
      const got = await client.send(
        new s3.GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }),
      );
      assert.equal(sha256(await body(got)), sha256(Body));
      const sum = newChecksum(algorithm.toLowerCase() as ChecksumName);
      sum.update(Body);
      assert.equal(got[`Checksum${algorithm}`], sum.digest());
      assert.equal(got.ChecksumType, "FULL_OBJECT");
      assert.equal(put.ETag, `"${createHash("md5").update(Body).digest("hex")}"`);
    });
  }

  it("refuses a body that is not what its checksum says", async () => {
    const command = new s3.PutObjectCommand({
      Bucket,
      Key: "broken",
      Body: "abc",
      ChecksumSHA256: createHash("sha256").update("abd").digest("base64"),
    });
    await assert.rejects(client.send(command), { name: "BadDigest" });
    await assert.rejects(client.send(new s3.HeadObjectCommand({ Bucket, Key: "broken" })));
  });

  it("serves ranges, parts and conditions", async () => {
    const Key = "parts.bin";
    const Body = randomBytes(12 * 1024 * 1024);
    const size = 5 * 1024 * 1024;
    const made = await client.send(
      new s3.CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: "CRC64NVME" }),
    );
    const UploadId = made.UploadId!;
    const Parts: s3.CompletedPart[] = [];
    for (let PartNumber = 1; PartNumber <= 3; PartNumber += 1) {
      const piece = Body.subarray((PartNumber - 1) * size, PartNumber * size);
      const part = await client.send(
        new s3.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: piece }),
      );
      Parts.push({ PartNumber, ETag: part.ETag });
    }
    await client.send(
      new s3.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
    );
    const head = await client.send(
      new s3.HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }),
    );
    assert.equal(head.ContentLength, Body.length);
    assert.match(head.ETag!, /-3"$/);
    const sum = newChecksum("crc64nvme");
    sum.update(Body);
    assert.equal(head.ChecksumCRC64NVME, sum.digest());
    const second = await client.send(new s3.GetObjectCommand({ Bucket, Key, PartNumber: 2 }));
    assert.equal(second.PartsCount, 3);
    assert.equal(sha256(await body(second)), sha256(Body.subarray(size, 2 * size)));
    const range = await client.send(
      new s3.GetObjectCommand({ Bucket, Key, Range: "bytes=-7", IfMatch: head.ETag }),
    );
    assert.deepEqual(await body(range), Body.subarray(-7));
    await assert.rejects(
      client.send(new s3.GetObjectCommand({ Bucket, Key, IfMatch: '"other"' })),
      { name: "PreconditionFailed" },
    );
    await assert.rejects(
      client.send(new s3.GetObjectCommand({ Bucket, Key, Range: "bytes=99999999-" })),
      { name: "InvalidRange" },
    );
    await assert.rejects(
      client.send(new s3.PutObjectCommand({ Bucket, Key, Body: "x", IfNoneMatch: "*" })),
      { name: "PreconditionFailed" },
    );
  });

  it("holds a completed upload against the checksum and the size that its writer declares", async () => {
    const Key = "declared.bin";
    const Body = randomBytes(6 * 1024 * 1024);
    const { UploadId } = await client.send(
      new s3.CreateMultipartUploadCommand({
        Bucket,
        Key,
        ChecksumAlgorithm: "CRC32",
        ChecksumType: "FULL_OBJECT",
      }),
    );
    const part = { Bucket, Key, UploadId, PartNumber: 1 };
    const { ETag } = await client.send(new s3.UploadPartCommand({ ...part, Body }));
    const listed = await client.send(new s3.ListPartsCommand({ Bucket, Key, UploadId }));
    const sum = newChecksum("crc32");
    sum.update(Body);
    assert.equal(listed.Parts?.[0]?.ChecksumCRC32, sum.digest());
    const complete = (declared: Partial<s3.CompleteMultipartUploadRequest>) =>
      client.send(
        new s3.CompleteMultipartUploadCommand({
          Bucket,
          Key,
          UploadId,
          MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
          ...declared,
        }),
      );
    await assert.rejects(complete({ ChecksumCRC32: "AAAAAA==" }), { name: "BadDigest" });
    await assert.rejects(complete({ MpuObjectSize: 7 }), { name: "InvalidRequest" });
    await complete({ ChecksumCRC32: sum.digest(), MpuObjectSize: Body.length });
    const copy = { Bucket, Key: "copy.bin", CopySource: `${Bucket}/${Key}` };
    const wrong = { ...copy, CopySourceIfMatch: '"other"' };
    await assert.rejects(client.send(new s3.CopyObjectCommand(wrong)), {
      name: "PreconditionFailed",
    });
    const copied = await client.send(new s3.CopyObjectCommand({ ...copy, IfNoneMatch: "*" }));
    assert.equal(copied.CopyObjectResult?.ChecksumCRC32, sum.digest());
    await assert.rejects(client.send(new s3.CopyObjectCommand({ ...copy, IfNoneMatch: "*" })), {
      name: "PreconditionFailed",
    });
  });

  it("lists by page, prefix and delimiter, copies, and deletes many at once", async () => {
    const keys = ["l/a 1", "l/b&<2>", "l/sub/c", "l/sub/d", "l/ü"];
    for (const Key of keys) await client.send(new s3.PutObjectCommand({ Bucket, Key, Body: Key }));
    const seen: string[] = [];
    for await (const page of s3.paginateListObjectsV2(
      { client, pageSize: 2 },
      { Bucket, Prefix: "l/" },
    )) {
      seen.push(...(page.Contents ?? []).map((each) => each.Key!));
    }
    assert.deepEqual(seen, keys);
    const folders = await client.send(
      new s3.ListObjectsV2Command({ Bucket, Prefix: "l/", Delimiter: "/" }),
    );
    assert.deepEqual(folders.CommonPrefixes, [{ Prefix: "l/sub/" }]);
    assert.equal(folders.Contents!.length, 3);
    await client.send(
      new s3.CopyObjectCommand({ Bucket, Key: "l/copy", CopySource: `${Bucket}/l/sub/c` }),
    );
    const copy = await client.send(new s3.GetObjectCommand({ Bucket, Key: "l/copy" }));
    assert.equal(await copy.Body!.transformToString(), "l/sub/c");
    await client.send(
      new s3.DeleteObjectsCommand({
        Bucket,
        Delete: { Objects: [...keys, "l/copy"].map((Key) => ({ Key })) },
      }),
    );
    const left = await client.send(new s3.ListObjectsV2Command({ Bucket, Prefix: "l/" }));
    assert.equal(left.KeyCount, 0);
  });

  it("takes presigned URLs, and nothing unsigned", async () => {
    await client.send(new s3.PutObjectCommand({ Bucket, Key: "signed", Body: "yes" }));
    const url = await getSignedUrl(client, new s3.GetObjectCommand({ Bucket, Key: "signed" }));
    assert.equal(await (await fetch(url)).text(), "yes");
    assert.equal((await fetch(`${cloud.endpoint}/${Bucket}/signed`)).status, 403);
  });

  it("keeps what a bucket is set to", async () => {
    await client.send(
      new s3.PutPublicAccessBlockCommand({
        Bucket,
        PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true },
      }),
    );
    const block = await client.send(new s3.GetPublicAccessBlockCommand({ Bucket }));
    assert.equal(block.PublicAccessBlockConfiguration!.BlockPublicPolicy, true);
    await client.send(
      new s3.PutBucketTaggingCommand({
        Bucket,
        Tagging: { TagSet: [{ Key: "berth:stack", Value: "dev" }] },
      }),
    );
    const tags = await client.send(new s3.GetBucketTaggingCommand({ Bucket }));
    assert.deepEqual(tags.TagSet, [{ Key: "berth:stack", Value: "dev" }]);
  });

  it("breaks a body off, resets a connection and turns away, when told to", async () => {
    await client.send(
      new s3.PutObjectCommand({ Bucket, Key: "fault.bin", Body: Buffer.alloc(200_000) }),
    );
    const get = async (): Promise<Buffer> =>
      body(await client.send(new s3.GetObjectCommand({ Bucket, Key: "fault.bin" })));
    cloud.setFault({ kind: "cut-body", key: "fault", afterBytes: 1000, times: 1 });
    await assert.rejects(get());
    cloud.setFault({ kind: "reset", operation: "GetObject", times: 1 });
    await assert.rejects(get());
    cloud.setFault({ kind: "unavailable", service: "s3", times: 1 });
    await assert.rejects(get(), { name: "ServiceUnavailable" });
    assert.equal((await get()).length, 200_000);
  });
});
