import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { UserError } from "../../../components/user-error.ts";
import { checkCredentials } from "../../../scripts/adapters/credentials.ts";
import { awsProblem } from "../../../scripts/adapters/aws-problem.ts";
import { accountLines } from "../../../scripts/stack/deployment.ts";

/** Asks a service that refuses every call with this code. */
async function refusing<T>(
  [code, message]: readonly [string, string],
  ask: (endpoint: string) => Promise<T>,
): Promise<T> {
  const server = createServer((_request, response) => {
    response.writeHead(403, { "content-type": "text/xml" });
    response.end(
      `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    return await ask(`http://127.0.0.1:${port}`);
  } finally {
    server.close();
  }
}

function checkAgainst(code: string, message: string): Promise<string> {
  return refusing([code, message], (endpoint) => {
    const credentials = { accessKeyId: "a", secretAccessKey: "b" };
    const client = { region: "us-east-1", endpoint, credentials };
    return checkCredentials({ stack: "dev", region: "us-east-1", client });
  });
}

describe("checkCredentials", () => {
  for (const [code, message, said] of [
    ["ExpiredToken", "The security token included in the request is expired", /have expired/],
    ["InvalidClientTokenId", "The security token is invalid", /does not take the credentials/],
  ] as const) {
    it(`says of ${code} that nothing was touched, and what to do`, async () => {
      await assert.rejects(checkAgainst(code, message), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, said);
        assert.match(error.hint ?? "", /Nothing was touched.*Log in anew/);
        return true;
      });
    });
  }
});

describe("accountLines", () => {
  const given = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
  const names = [...Object.keys(given), "AWS_ENDPOINT_URL"];
  const environment = names.map((name) => [name, process.env[name]] as const);
  afterEach(() => {
    for (const [name, value] of environment) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });
  const of = (target: "ec2" | "existing-host") =>
    accountLines({ settings: { stack: "dev", region: "us-east-1", target }, cloud: undefined });

  it("holds an up and a preview before anything is made, but not of a machine without an account", async () => {
    const expired = ["ExpiredToken", "The security token included is expired"] as const;
    await refusing(expired, async (endpoint) => {
      Object.assign(process.env, given, { AWS_ENDPOINT_URL: endpoint });
      await assert.rejects(of("ec2"), /have expired/);
      assert.deepEqual(await of("existing-host"), []);
    });
  });
});

describe("awsProblem", () => {
  const ofSdk = (name: string, message: string, more: object = {}) =>
    Object.assign(new Error(message), { name, $metadata: {}, ...more });
  const noneThere = Object.assign(new Error("Could not load credentials from any providers"), {
    name: "CredentialsProviderError",
  });

  it("tells a lack of credentials, of a right and of a way there, whichever command met it", () => {
    const told = (error: unknown) => awsProblem(error)?.message;
    assert.equal(told(noneThere), "There are no AWS credentials.");
    assert.equal(told(new Error("wrapped", { cause: noneThere })), "There are no AWS credentials.");
    const denied = ofSdk("AccessDeniedException", "not authorized to perform: ec2:DescribeImages");
    assert.match(told(denied) ?? "", /refuses it: .*ec2:DescribeImages/);
    const away = ofSdk("Error", "getaddrinfo ENOTFOUND ec2", { code: "ENOTFOUND" });
    assert.match(told(away) ?? "", /did not answer/);
    for (const [code, message] of [
      ["CERT_HAS_EXPIRED", "certificate has expired"],
      ["SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate in certificate chain"],
    ] as const) {
      assert.match(told(ofSdk("Error", message, { code })) ?? "", /certificate of AWS's address/);
    }
  });

  it("leaves what AWS says of a mistake of berth's, and errors from elsewhere", () => {
    assert.equal(awsProblem(ofSdk("ValidationException", "1 validation error")), undefined);
    assert.equal(awsProblem(Object.assign(new Error("x"), { code: "ECONNREFUSED" })), undefined);
  });
});
