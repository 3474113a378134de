import assert from "node:assert/strict";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { UserError } from "../../../components/user-error.ts";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { listRemoteFiles } from "../../../scripts/save/remote-files.ts";
import { saveFiles } from "../../../scripts/save/save-files.ts";
import { savedPaths, saveTarget } from "../../../scripts/save/save-target.ts";
import { SaveBucket } from "../../../scripts/save/save-to-bucket.ts";
import { settingsFor } from "../../offline/cloud/account.ts";
import { needsSshd, startSshd, type TestSshd } from "../../provider/support/sshd.ts";
import { Started } from "../../support/tier.ts";

const mib = 1024 ** 2;

describe("saveFiles", () => {
  const started = new Started();
  let cloud: Cloud;
  let sshd: TestSshd;
  let client: S3Client;
  let folder: string;
  const target = { bucket: "kept", prefix: "saved/dev/0123456789ab/" };
  const said: string[] = [];
  const terminal = { say: (...lines: readonly string[]) => void said.push(...lines) };

  before(async function () {
    needsSshd(this);
    sshd = started.use(await startSshd());
    process.env["BERTH_SSH_PRIVATE_KEY"] = sshd.clientKey;
    cloud = started.use(await startCloud({ tier: "none" }));
    client = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: "kept" }));
    folder = join(sshd.folder, "check points");
    await mkdir(join(folder, "step-2"), { recursive: true });
    await writeFile(join(folder, "it's here.bin"), Buffer.alloc(5 * mib + 7, "ab"));
    await writeFile(join(folder, "step-2", "model $1.safetensors"), Buffer.alloc(100_000, "c"));
    await writeFile(join(folder, "empty"), "");
  });
  after(async () => {
    Reflect.deleteProperty(process.env, "BERTH_SSH_PRIVATE_KEY");
    await started.stop();
  });
  afterEach(() => {
    cloud.clearFaults();
  });

  const host = () => ({
    address: "127.0.0.1",
    port: sshd.port,
    user: sshd.user,
    hostKey: sshd.hostKey,
  });
  const saving = (paths: readonly string[]) => ({
    host: host(),
    paths,
    client: settingsFor(cloud),
    target,
    terminal,
    partMiB: 5,
    pauseMs: 10,
  });

  it("brings every file, large ones in parts, and what S3 has is what the host had", async () => {
    cloud.setFault({ kind: "unavailable", operation: "UploadPart", times: 1 });
    const saved = await saveFiles(saving([folder]));
    assert.deepEqual(saved, {
      uri: "s3://kept/saved/dev/0123456789ab/",
      files: 3,
      bytes: 5 * mib + 7 + 100_000,
    });
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: "kept" }));
    const below = `${target.prefix}${folder.slice(1)}/`;
    assert.deepEqual(
      Contents.map(({ Key = "", Size }) => [Key.replace(below, ""), Size]),
      [
        ["empty", 0],
        ["it's here.bin", 5 * mib + 7],
        ["step-2/model $1.safetensors", 100_000],
      ],
    );
    const whole = await client.send(
      new GetObjectCommand({ Bucket: "kept", Key: `${below}it's here.bin` }),
    );
    const bytes = Buffer.from((await whole.Body?.transformToByteArray()) ?? []);
    assert.ok(bytes.equals(Buffer.alloc(5 * mib + 7, "ab")));
    assert.equal(said.filter((line) => line.startsWith("saved ")).length, 3);
  });

  it("takes nothing that is not what the host said it has, and leaves no part behind", async () => {
    const path = join(folder, "it's here.bin");
    const [listed] = await listRemoteFiles(host(), [path], 5);
    await appendFile(path, "more");
    await writeFile(path, Buffer.alloc(5 * mib + 7, "zz"));
    const bucket = await SaveBucket.open(settingsFor(cloud), target, host(), 5);
    await assert.rejects(bucket.save(listed!), UserError);
    bucket.close();
    const open = await client.send(new ListMultipartUploadsCommand({ Bucket: "kept" }));
    assert.deepEqual(open.Uploads ?? [], []);
  });

  it("says which path or bucket is not there, and what the host said", async () => {
    await assert.rejects(saveFiles(saving(["/no/such/folder"])), /there is no \/no\/such\/folder/);
    await assert.rejects(
      saveFiles({ ...saving([folder]), target: { bucket: "nobodys", prefix: "" } }),
      /The bucket nobodys cannot be saved to/,
    );
    cloud.setFault({ kind: "access-denied", operation: "PutObject" });
    await assert.rejects(saveFiles(saving([join(folder, "empty")])), /empty: .*403/);
  });
});

describe("saveTarget", () => {
  const choice = {
    saveTo: undefined,
    weightsBucket: "models",
    ownBuckets: ["dev-store-1"],
    stack: "dev",
    runId: "0123456789ab",
  };

  it("is below the stack and its run in the bucket that the stack was given, or what was asked", () => {
    const prefix = "saved/dev/0123456789ab/";
    assert.deepEqual(saveTarget(choice), { bucket: "models", prefix });
    assert.deepEqual(saveTarget({ ...choice, saveTo: "s3://other/a/b/" }), {
      bucket: "other",
      prefix: "a/b/",
    });
    assert.deepEqual(saveTarget({ ...choice, saveTo: "s3://other" }).prefix, "");
  });

  it("refuses a bucket that goes with the stack, and none at all", () => {
    assert.throws(() => saveTarget({ ...choice, saveTo: "s3://dev-store-1/x" }), /goes with the/);
    assert.throws(() => saveTarget({ ...choice, weightsBucket: undefined }), /nowhere to save/);
    assert.throws(() => saveTarget({ ...choice, saveTo: "/tmp/x" }), /no place in S3/);
  });

  it("takes absolute paths, and not all of a host", () => {
    assert.deepEqual(savedPaths(["/a/b/", "/c"]), ["/a/b", "/c"]);
    for (const path of ["/", "a", "/a/../b"]) assert.throws(() => savedPaths([path]), UserError);
  });
});
