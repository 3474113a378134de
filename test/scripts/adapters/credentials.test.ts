import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { UserError } from "../../../components/user-error.ts";
import { checkCredentials } from "../../../scripts/adapters/credentials.ts";

/** Asks a service that refuses every call with this code. */
async function checkAgainst(code: string, message: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(403, { "content-type": "text/xml" });
    response.end(
      `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = {
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  };
  try {
    return await checkCredentials({ stack: "dev", region: "us-east-1", client });
  } finally {
    server.close();
  }
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
