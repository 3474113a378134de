import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../../components/user-error.ts";
import { checkRegion } from "../../../scripts/push/find-target.ts";
import { explainS3, S3Connection } from "../../../scripts/push/s3-client.ts";
import { TargetBucket } from "../../../scripts/push/target-bucket.ts";
import { restoreEnvironment, withoutAws } from "./support.ts";

describe("S3Connection", () => {
  let server: Server;
  let folder: string;
  /** Access keys that requests were signed with. */
  let keys: string[];
  let seen: IncomingHttpHeaders[];
  /** Keys that have expired. */
  let expired: Set<string>;
  const saved = { ...process.env };

  beforeEach(async () => {
    keys = [];
    seen = [];
    expired = new Set(["AKIA1"]);
    folder = await mkdtemp(join(tmpdir(), "berth-credentials-"));
    server = createServer((request, response) => {
      const key = /Credential=([^/]+)/.exec(request.headers.authorization ?? "")?.[1] ?? "";
      keys.push(key);
      seen.push(request.headers);
      request.resume().on("end", () => {
        if (expired.has(key)) {
          response.writeHead(400, { "content-type": "application/xml" });
          response.end("<Error><Code>ExpiredToken</Code><Message>expired</Message></Error>");
        } else if (request.method === "HEAD") {
          response.writeHead(301, { "x-amz-bucket-region": "eu-west-1" }).end();
        } else response.writeHead(200, { etag: '"1"' }).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    // A process that gives credentials, another each time, as single sign-on does.
    const counter = join(folder, "count");
    await writeFile(counter, "0");
    await writeFile(
      join(folder, "give"),
      `n=$(($(cat ${counter}) + 1)); echo $n > ${counter}; echo "{\\"Version\\": 1, \\"AccessKeyId\\": \\"AKIA$n\\", \\"SecretAccessKey\\": \\"s\\", \\"SessionToken\\": \\"t\\"}"`,
    );
    await writeFile(join(folder, "config"), `[default]\ncredential_process = sh ${folder}/give\n`);
    restoreEnvironment(withoutAws());
    Object.assign(process.env, {
      AWS_CONFIG_FILE: join(folder, "config"),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, "none"),
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_EC2_METADATA_DISABLED: "true",
    });
  });
  afterEach(async () => {
    restoreEnvironment(saved);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  const target = (connection: S3Connection): TargetBucket =>
    new TargetBucket(connection, { bucket: "weights", prefix: "m/" }, { requesterPays: false });

  it("asks for new credentials when the old ones expire, once for all that wait", async () => {
    const connection = new S3Connection({ region: "us-east-1", lanes: 2 });
    const puts = ["a", "b", "c"].map((path) =>
      target(connection).put({ path }, Buffer.from("x"), "AAAAAA==", undefined),
    );
    await Promise.all(puts);
    assert.deepEqual(new Set(keys), new Set(["AKIA1", "AKIA2"]));
    assert.equal((await readFile(join(folder, "count"), "utf8")).trim(), "2");
    connection.close();
  });

  it("sends a body with its own CRC under a signature that does not hash it again", async () => {
    const connection = new S3Connection({ region: "us-east-1", lanes: 2 });
    await target(connection).put({ path: "a" }, Buffer.from("x"), "AAAAAA==", '"old"');
    const headers = seen.at(-1)!;
    assert.equal(headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
    assert.equal(headers["x-amz-checksum-crc32"], "AAAAAA==");
    assert.equal(headers["if-match"], '"old"');
    assert.match(headers.authorization ?? "", /SignedHeaders=\S*x-amz-content-sha256/);
    connection.close();
  });

  it("gives up on credentials that stay expired, and says what to do", async () => {
    for (let each = 1; each < 9; each += 1) expired.add(`AKIA${each}`);
    const connection = new S3Connection({ region: "us-east-1", lanes: 2 });
    const put = target(connection).put({ path: "a" }, Buffer.from("x"), "AAAAAA==", undefined);
    const error: unknown = await put.catch((refusal: unknown) => refusal);
    assert.match(explainS3(error, "the push stopped").hint ?? "", /Log in again/);
    assert.ok(keys.length <= 4);
    connection.close();
  });

  it("finds out without a request whether there are credentials", async () => {
    const connection = new S3Connection({ region: "us-east-1", lanes: 2 });
    await connection.requireCredentials();
    connection.close();
    // Another file: the SDK remembers what it read.
    process.env["AWS_CONFIG_FILE"] = join(folder, "none");
    const without = new S3Connection({ region: "us-east-1", lanes: 2 });
    const error: unknown = await without.requireCredentials().catch((refusal: unknown) => refusal);
    assert.match(explainS3(error, "no credentials").hint ?? "", /AWS_PROFILE/);
    without.close();
    assert.deepEqual(keys, []);
  });

  it("learns a bucket's region from the redirect", async () => {
    expired.clear();
    const connection = new S3Connection({ region: "us-east-1", lanes: 2 });
    assert.equal(await connection.regionOf("weights"), "eu-west-1");
    connection.close();
  });
});

describe("checkRegion", () => {
  const regions = { bucket: "eu-west-1", hosts: "us-east-1" };

  it("refuses another region with the price of a crossing, unless it is asked for", () => {
    assert.throws(
      () => {
        checkRegion("weights", regions, 100 * 1024 ** 3, false);
      },
      (error: UserError) => {
        assert.match(error.problems[0] ?? "", /about \$2\.00/);
        assert.match(error.hint ?? "", /--allow-cross-region/);
        return true;
      },
    );
    checkRegion("weights", regions, 1, true);
    checkRegion("weights", { bucket: "us-east-1", hosts: "us-east-1" }, 1, false);
  });
});
