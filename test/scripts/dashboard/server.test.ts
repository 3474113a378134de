import assert from "node:assert/strict";
import { request } from "node:http";
import { UserError } from "../../../components/user-error.ts";
import { makeView } from "../../../scripts/dashboard/make-view.ts";
import { startServer, type DashboardServer } from "../../../scripts/dashboard/server.ts";
import { readingsOf } from "./support.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

describe("startServer", () => {
  let server: DashboardServer;
  let asked = 0;
  let revision = 1;
  const dashboard = {
    refresh: () => {
      asked += 1;
      return Promise.resolve();
    },
    get view() {
      return makeView(readingsOf());
    },
    get revision() {
      return revision;
    },
  };
  before(async () => {
    server = await startServer({ dashboard, script: "0", port: 0 });
  });
  after(() => server.close());

  const url = () => new URL(server.url);
  const key = () => url().hash.slice(1);

  function ask(
    path: string,
    headers: Readonly<Record<string, string>> = {},
    method = "GET",
  ): Promise<Answer> {
    const { port } = url();
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: "127.0.0.1", port, path, headers, method }, (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => (body += chunk.toString()));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        });
      });
      outgoing.on("error", reject);
      outgoing.end();
    });
  }
  const authorised = () => ({ authorization: `Bearer ${key()}` });

  it("listens on loopback, and gives its address with a key that a browser sends to nobody", () => {
    assert.equal(url().hostname, "127.0.0.1");
    assert.match(key(), /^[\w-]{43}$/);
  });

  it("serves a page without a figure in it to whoever asks, under a strict policy", async () => {
    const { status, headers, body } = await ask("/");
    assert.equal(status, 200);
    assert.doesNotMatch(body, /llama|g5\.xlarge|you@example/);
    const policy = String(headers["content-security-policy"]);
    assert.match(policy, /^default-src 'none'; base-uri 'none'; form-action 'none'/);
    assert.match(policy, /script-src 'sha256-[^']+'; connect-src 'self'; frame-ancestors 'none'$/);
    assert.doesNotMatch(policy, /unsafe|https?:/);
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.equal(headers["set-cookie"], undefined);
  });

  it("gives figures only to who has the key, and asks nobody for others", async () => {
    const before = asked;
    const wrong = { authorization: `Bearer ${"A".repeat(43)}` };
    for (const headers of [{}, wrong, { authorization: "Bearer" }]) {
      const { status, body } = await ask("/view", headers);
      assert.deepEqual([status, body], [401, "The key is missing or wrong.\n"]);
    }
    assert.equal((await ask(`/view?key=${key()}`)).status, 401);
    assert.equal(asked, before);
    const { status, body } = await ask("/view", authorised());
    assert.equal(status, 200);
    assert.match(body, /g5\.xlarge/);
    assert.equal(asked, before + 1);
  });

  it("refuses a name that was pointed at loopback, and requests of other pages", async () => {
    const attempts = [
      { host: "attacker.example" },
      { host: `attacker.example:${url().port}` },
      { host: "127.0.0.1:1" },
      { origin: "http://attacker.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ];
    for (const headers of attempts) {
      for (const path of ["/", "/view"]) {
        const { status, body } = await ask(path, { ...authorised(), ...headers });
        assert.equal(status, 403, JSON.stringify(headers));
        assert.doesNotMatch(body, /llama/);
      }
    }
    const own = { host: `localhost:${url().port}`, origin: `http://localhost:${url().port}` };
    assert.equal((await ask("/view", { ...authorised(), ...own })).status, 200);
  });

  it("only reads", async () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      assert.equal((await ask("/view", authorised(), method)).status, 405, method);
    }
    assert.deepEqual((await ask("/", {}, "HEAD")).body, "");
    assert.equal((await ask("/..%2f..%2fetc/passwd", authorised())).status, 404);
  });

  it("sends nothing twice", async () => {
    const first = await ask("/view?after=-1", authorised());
    const told = (JSON.parse(first.body) as { revision: number }).revision;
    assert.equal((await ask(`/view?after=${told}`, authorised())).status, 204);
    revision += 1;
    assert.equal((await ask(`/view?after=${told}`, authorised())).status, 200);
  });

  it("says that a port is taken", async () => {
    const port = Number(url().port);
    await assert.rejects(startServer({ dashboard, script: "0", port }), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /is taken/);
      return true;
    });
  });
});
