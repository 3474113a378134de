import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { callModel, wholeText, type ModelApi } from "../../provider/adapters/model-api.ts";
import { installPythonServer } from "../../provider/engines/python-server/bundle.ts";
import { answersNow, serveModel, stopModel, type ServeInputs } from "../../provider/serve-model.ts";
import { needs, Started } from "../support/tier.ts";
import { hostOn, operation } from "./support/host.ts";
import { freePort, needsSshd, startSshd, type TestSshd } from "./support/sshd.ts";

function hasTools(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    execFileSync("python3", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const token = "a-token-of-some-length";
const body = JSON.stringify({ prompt: "a b", max_tokens: 2 });

describe("Who may ask a model server", () => {
  let sshd: TestSshd;
  let inputs: ServeInputs;
  let certificate: string;
  const started = new Started();
  const serverFile = (name: string) => join(sshd.root, "opt/berth/model-server", name);

  before(async function () {
    needsSshd(this);
    needs(this, "openssl", hasTools(), "openssl and python3 are not there");
    sshd = started.use(await startSshd());
    const python = join(sshd.root, "opt/berth/python/bin/python");
    const fakes = join(import.meta.dirname, "engines/fakes");
    await mkdir(join(python, ".."), { recursive: true });
    await writeFile(python, `#!/bin/sh\nPYTHONPATH=${fakes} exec python3 -B "$@"\n`);
    await chmod(python, 0o755);
    const host = hostOn(sshd);
    await installPythonServer(host, join(sshd.root, "opt/berth"));
    host.close();
    inputs = {
      engine: "transformers",
      modelId: "m",
      weightsFolder: "/opt/berth/weights/m",
      dataFolder: "/opt/berth",
      port: await freePort(),
      contextTokens: 64,
      tensorParallel: 1,
      quantise: "none",
      weightsVersion: "1",
      arguments: [],
      token,
      tls: "own",
    };
  });
  after(() => started.stop());

  const ask = async (change: Partial<ModelApi>) => {
    const api = { port: inputs.port, token, certificate, ...change };
    const answer = await callModel(api, { path: "/v1/completions", body, timeoutMs: 10_000 });
    return { status: answer.statusCode, text: await wholeText(answer) };
  };

  it("has to know the token, over TLS with a certificate that the host made", async () => {
    const host = hostOn(sshd);
    const serving = await serveModel(host, inputs, operation());
    ({ certificate } = serving);
    assert.equal(serving.url, `https://127.0.0.1:${inputs.port}`);
    assert.ok(await answersNow(host, { ...inputs, certificate }));
    assert.equal((await ask({})).status, 200);
    assert.equal((await ask({ token: "another-token-of-length" })).status, 401);
    assert.equal((await ask({ token: undefined })).status, 401);
    host.close();
  });

  it("finds neither token nor key where others could read them", async () => {
    for (const name of ["token", "tls-key.pem"])
      assert.equal((await stat(serverFile(name))).mode & 0o077, 0, name);
    assert.doesNotMatch(await readFile(serverFile("run.sh"), "utf8"), new RegExp(token));
    const processes = execFileSync("ps", ["-eo", "args"]).toString();
    assert.doesNotMatch(processes, new RegExp(token));
    assert.doesNotMatch(await readFile(serverFile("log"), "utf8"), new RegExp(token));
  });

  it("is sent nothing by a client that pins another certificate, or speaks without TLS", async () => {
    const folder = join(sshd.folder, "other");
    await mkdir(folder);
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const files = ["-keyout", join(folder, "key"), "-out", join(folder, "cert")];
    const subject = ["-subj", "/CN=other", "-days", "2"];
    execFileSync("openssl", ["req", "-x509", ...key, ...files, ...subject], { stdio: "ignore" });
    const other = await readFile(join(folder, "cert"), "utf8");
    await assert.rejects(ask({ certificate: other }), /another certificate than the pinned one/);
    await assert.rejects(ask({ certificate: undefined }));
    const given = { certificate: other, key: await readFile(join(folder, "key"), "utf8") };
    const host = hostOn(sshd);
    const serving = await serveModel(host, { ...inputs, tls: given }, operation());
    assert.equal(serving.certificate, other);
    assert.equal((await ask({ certificate: other })).status, 200);
    host.close();
  });

  it("restarts for another token, and for nothing that is the same", async () => {
    const host = hostOn(sshd);
    const first = operation();
    const plain = { ...inputs, tls: undefined };
    await serveModel(host, plain, first);
    const second = operation();
    await serveModel(host, plain, second);
    assert.match(second.lines.join(), /the server runs already/);
    const third = operation();
    await serveModel(host, { ...plain, token: "a-newer-token-of-length" }, third);
    assert.match(third.lines.join(), /the server is started/);
    assert.equal((await ask({ certificate: undefined })).status, 401);
    await stopModel(host, inputs.dataFolder);
    await assert.rejects(stat(serverFile("token")));
    host.close();
  });
});
