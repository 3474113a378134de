import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { firstNotebook } from "../../../components/notebook/first-notebook.ts";
import { loadNotebookTypes } from "../../../components/notebook-instance/load-notebook-types.ts";
import { notebookPolicy } from "../../../components/notebook-instance/notebook-instance.ts";
import { planNotebook } from "../../../components/notebook-instance/notebook-plan.ts";
import type { UserError } from "../../../components/user-error.ts";
import { onStartScript } from "../../../components/notebook-instance/on-start.ts";

const run = promisify(execFile);
const idleStop = new URL("../../../components/notebook-instance/idle-stop.py", import.meta.url)
  .pathname;

describe("planNotebook", () => {
  const asked = { notebookType: "ml.t3.medium", idleMinutes: 60, region: "us-east-1" };

  it("prices what it knows, takes the user's price for the rest, and plans nothing without one", () => {
    assert.equal(planNotebook(asked, loadNotebookTypes()).hourlyUsd, 0.05);
    const elsewhere = { ...asked, region: "eu-west-1" };
    assert.throws(() => planNotebook(elsewhere, loadNotebookTypes()), /price .* is not known/);
    const own = planNotebook({ ...elsewhere, ownHourlyUsd: 0.06 }, loadNotebookTypes());
    assert.deepEqual([own.hourlyUsd, own.priceFrom], [0.06, "berth:notebookHourlyUsd"]);
  });

  it("names what is known of the asked region first, and each once", () => {
    const { types: shipped, ...table } = loadNotebookTypes();
    const row = (hourlyUsd: Readonly<Record<string, number>>, instanceType = "ml.t3.medium") => ({
      ...shipped[0]!,
      instanceType,
      hourlyUsd: { ...hourlyUsd },
    });
    const types = [row({ "eu-west-1": 0.05 }), row({ "eu-west-1": 0.05, "eu-west-3": 0.06 })];
    const asked = { notebookType: "ml.t3.large", idleMinutes: 60, region: "eu-west-3" };
    assert.throws(
      () => planNotebook(asked, { ...table, types }),
      ({ hint }: UserError) =>
        hint?.endsWith(": ml.t3.medium in eu-west-3, ml.t3.medium in eu-west-1.") === true,
    );
  });
});

describe("notebookPolicy", () => {
  it("asks one endpoint, stops itself, writes its logs, and nothing else", () => {
    const known = { notebookName: "n", endpointName: "e", account: "1", region: "r" };
    const { Statement } = JSON.parse(notebookPolicy(known)) as {
      Statement: { Action: string | string[]; Resource: string | string[] }[];
    };
    assert.ok(Statement.every(({ Resource }) => Resource !== "*"));
    assert.deepEqual(Statement.flatMap(({ Action }) => Action).toSorted(), [
      "logs:CreateLogStream",
      "logs:DescribeLogStreams",
      "logs:PutLogEvents",
      "sagemaker:InvokeEndpoint",
      "sagemaker:InvokeEndpointWithResponseStream",
      "sagemaker:StopNotebookInstance",
    ]);
  });
});

describe("onStartScript", () => {
  const notebook = firstNotebook({
    modelId: "qwen2.5-7b",
    model: { kind: "endpoint", endpointName: "dev-0123456789ab", region: "us-east-1" },
    form: "completion",
    hourlyUsd: 1.18,
    expiresAt: "2026-12-24T18:00:00Z",
  });
  const start = { notebookName: "dev-0123456789ab", region: "us-east-1", idleMinutes: 60 };
  const folder = mkdtempSync(join(tmpdir(), "berth-on-start-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("writes the first notebook and the timer, and leaves a notebook that somebody changed", () => {
    // The folders of a notebook instance, and what only such a machine has, in a folder of this test.
    const script = onStartScript({ ...start, notebook })
      .replaceAll("/home/ec2-user/SageMaker", folder)
      .replaceAll("/opt/berth", join(folder, "opt"));
    const bin = join(folder, "bin");
    execFileSync("mkdir", [bin]);
    for (const [name, text] of [
      ["systemd-run", `echo "$@" >${folder}/timer`],
      ["systemctl", "false"],
      // Whose place it takes is this user; what it is given is told.
      ["runuser", `echo "$2" >${folder}/user; shift 3; exec "$@"`],
    ] as const) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    const env = { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` };
    const file = join(folder, "ask-the-model.ipynb");
    execFileSync("bash", ["-c", script], { env });
    assert.equal(readFileSync(file, "utf8"), notebook);
    assert.equal(readFileSync(join(folder, "user"), "utf8"), "ec2-user\n");
    assert.match(
      readFileSync(join(folder, "timer"), "utf8"),
      /idle-stop\.py dev-\w+ us-east-1 60$/m,
    );
    assert.equal(
      readFileSync(join(folder, "opt/idle-stop.py"), "utf8"),
      readFileSync(idleStop, "utf8"),
    );
    writeFileSync(file, "mine");
    execFileSync("bash", ["-c", script], { env });
    assert.equal(readFileSync(file, "utf8"), "mine");
    // A link of the notebook's user must make nothing where it leads to, and keep no timer from being set.
    rmSync(file);
    rmSync(join(folder, "timer"));
    symlinkSync(join(folder, "ld.so.preload"), file);
    execFileSync("bash", ["-c", script], { env, stdio: "ignore" });
    assert.ok(!existsSync(join(folder, "ld.so.preload")));
    assert.ok(existsSync(join(folder, "timer")));
  });

  it("is no longer than SageMaker takes", () => {
    const long = { ...start, notebook: `${notebook}${"x".repeat(12_000)}` };
    assert.throws(() => onStartScript(long), /SageMaker takes 16384/);
  });
});

describe("idle-stop.py", () => {
  let server: Server;
  let kernels: object[] = [];
  let jupyter: string;
  const folder = mkdtempSync(join(tmpdir(), "berth-idle-stop-"));
  before(async () => {
    writeFileSync(join(folder, "aws"), `#!/bin/sh\necho "$@" >${folder}/called\n`, { mode: 0o755 });
    server = createServer((request, response) => {
      response.end(JSON.stringify(request.url === "/api/kernels" ? kernels : []));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    jupyter = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  async function look(sinceSecondsAgo: number, address = jupyter) {
    rmSync(join(folder, "called"), { force: true });
    writeFileSync(join(folder, "since"), String(Date.now() / 1000 - sinceSecondsAgo));
    const env = {
      ...process.env,
      BERTH_AWS: join(folder, "aws"),
      BERTH_JUPYTER: address,
      BERTH_IDLE_SINCE: join(folder, "since"),
    };
    const { stdout } = await run("python3", [idleStop, "n", "r", "10"], { env });
    const called = await run("cat", [join(folder, "called")]).catch(() => ({ stdout: "" }));
    return [stdout.trim(), called.stdout.trim()] as const;
  }
  const kernel = (execution_state: string, minutesAgo: number) => ({
    execution_state,
    last_activity: new Date(Date.now() - minutesAgo * 60_000).toISOString(),
  });

  it("stops what nobody has used, and nothing that works, is new, or cannot be asked", async () => {
    kernels = [kernel("idle", 20)];
    assert.match(
      (await look(3000))[1],
      /stop-notebook-instance --notebook-instance-name n --region r/,
    );
    kernels = [kernel("busy", 20)];
    assert.deepEqual((await look(3000))[1], "");
    kernels = [kernel("idle", 20), kernel("idle", 5)];
    assert.deepEqual((await look(3000))[1], "");
    kernels = [];
    assert.match((await look(3000))[1], /stop-notebook-instance/);
    assert.deepEqual((await look(60))[1], "", "just started");
    const [said, called] = await look(3000, "http://127.0.0.1:1");
    assert.match(said, /^unknown: Jupyter does not answer/);
    assert.equal(called, "");
  });
});
