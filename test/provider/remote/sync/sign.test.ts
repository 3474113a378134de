import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { S3Client } from "@aws-sdk/client-s3";

interface Credentials {
  readonly id: string;
  readonly secret: string;
  readonly token?: string;
}
const path = join(import.meta.dirname, "../../../../provider/remote/sync/sign.mjs");
const { encodeKey, Signer } = (await import(pathToFileURL(path).href)) as {
  encodeKey: (key: string) => string;
  Signer: new (what: { host: string; region: string; extra: object }) => {
    lines(path: string, credentials: Credentials, nowMs: number): string;
  };
};
const host = "weights.s3.eu-west-1.amazonaws.com";
const region = "eu-west-1";
const extra = { "x-amz-checksum-mode": "ENABLED" };

/** What the AWS SDK writes for the same request. */
async function expected(path: string, { id, secret, token }: Credentials, nowMs: number) {
  const own = { accessKeyId: id, secretAccessKey: secret };
  const credentials = token === undefined ? own : { ...own, sessionToken: token };
  const client = new S3Client({ region, credentials });
  const signer = await client.config.signer({ name: "sigv4", signingRegion: region } as never);
  const headers = { host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD", ...extra };
  const request = { method: "GET", protocol: "https:", hostname: host, path, headers, query: {} };
  const options = { signingDate: new Date(nowMs), signingRegion: region, signingService: "s3" };
  const signed = await signer.sign(request, options);
  client.destroy();
  return (signed as unknown as { headers: Record<string, string> }).headers["authorization"];
}

describe("Signer", () => {
  it("signs as the AWS SDK does, though credentials, time and path change", async () => {
    const signer = new Signer({ host, region, extra });
    const first = { id: "AKIAFIRST", secret: "one" };
    const second = { id: "ASIASECOND", secret: "two", token: "token" };
    const noon = Date.UTC(2026, 10, 26, 12);
    const requests = [
      ["m/a.safetensors", first, noon],
      ["m/b c+(1)'é*.json", first, noon + 300],
      ["m/a.safetensors", first, noon + 1000],
      ["m/a.safetensors", second, noon + 1000],
      ["m/a.safetensors", second, noon + 86_400_000],
    ] as const;
    for (const [key, credentials, nowMs] of requests) {
      const path = `/${encodeKey(key)}`;
      const lines = signer.lines(path, credentials, nowMs).split("\r\n");
      const authorization = lines.find((line) => line.startsWith("authorization: "));
      assert.equal(
        authorization,
        `authorization: ${String(await expected(path, credentials, nowMs))}`,
        key,
      );
      assert.equal(lines.includes(`host: ${host}`), true);
      assert.equal(lines.includes("x-amz-security-token: token"), credentials === second);
    }
  });
});
