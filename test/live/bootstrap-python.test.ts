import assert from "node:assert/strict";
import { failsWith } from "../provider/bootstrap/told-failure.ts";
import { Workshop } from "../provider/bootstrap/workshop.ts";

const port = 8992;
const engines = "/opt/berth/engines";
/** Room for the environment that vLLM is refused without. */
const diskGiB = 24;

/**
 * What pip fetches is made up, and so is the compiler; the Python is the machine's own in a folder, by the archive's way. Real
 * are the steps, curl, tar, the environments and pip.
 */
describe("A bootstrap of vLLM where the system's Python is too old", () => {
  const shop = new Workshop();
  let pythonMirror: { readonly url: string; readonly sha256: string };
  before(async function () {
    await shop.open(this, "bookworm", diskGiB);
    pythonMirror = await shop.machine.startPythonMirror(port);
  });
  after(() => shop.close());

  const begin = (mode = "good") =>
    shop.machine
      .begin({ os: "ubuntu 22.04", behaviour: { python: "3.10.12" } })
      .then(() => shop.machine.root(`echo ${mode} >/run/python-mirror`));
  const bootstrap = (mirror: typeof pythonMirror | { readonly url: string } = pythonMirror) =>
    shop.bootstrap({ engine: "vllm", pythonMirror: mirror });
  const left = () => shop.machine.root("ls -A /opt/berth/interpreters 2>/dev/null || true");

  it("unpacks one in its own folder, makes the environment with it, and changes nothing the second time", async () => {
    await begin();
    const done = await bootstrap();
    assert.equal(done.facts.python, "3.10.12");
    assert.ok(done.lines.some((line) => /^Python: CPython 3\.12\.\d+ of/.test(line)));
    const changed = done.steps.filter((step) => step.changed).map(({ name }) => name);
    for (const name of ["interpreter", "runtime"]) assert.ok(changed.includes(name), name);
    const config = await shop.machine.root(`cat ${engines}/vllm-0.33.0/pyvenv.cfg`);
    assert.match(config, /^home = \/opt\/berth\/interpreters\/cpython-3\.12\.\d+-\d+\/bin$/m);
    assert.match(await shop.machine.root(`ls ${engines}/vllm-0.33.0/bin`), /^vllm$/m);
    // Nothing of the system was replaced, and what was fetched did not stay.
    assert.equal(await shop.machine.root("ls /usr/bin/python3.12 2>/dev/null || true"), "");
    assert.doesNotMatch(await shop.machine.root("ls -R /opt/berth"), /\.wheels|\.making|archive$/m);
    const traces =
      "find /opt/berth /etc -not -path '*/steps/*' -type f -printf '%p %T@\\n' | sort | sha256sum";
    const before = await shop.machine.root(traces);
    const again = await bootstrap();
    assert.deepEqual(
      again.steps.filter((step) => step.changed),
      [],
    );
    assert.equal(await shop.machine.root(traces), before);
  });

  it("believes an archive by its sum alone, and leaves nothing of another", async () => {
    await begin();
    const { url } = pythonMirror;
    const told = await failsWith("E_PYTHON", bootstrap({ url }));
    assert.match(
      told,
      new RegExp(`gave a file with SHA-256 ${pythonMirror.sha256}, and \\w{64} is pinned`),
    );
    assert.equal(await left(), "");
    assert.equal(await shop.machine.root(`ls -A ${engines}`), "");
  });

  it("names an archive that is not there, is cut off, or cannot be reached", async () => {
    await begin("missing");
    assert.match(
      await failsWith("E_PYTHON", bootstrap()),
      /\/cpython-3\.12\S+ answers with status 404/,
    );
    await begin("cut");
    assert.match(
      await failsWith("E_PYTHON", bootstrap()),
      /was cut off 3 times, the last time after \d{6,} bytes/,
    );
    await begin();
    const nobody = { ...pythonMirror, url: "http://127.0.0.1:1/builds" };
    const told = await failsWith("E_PYTHON", bootstrap(nobody));
    assert.match(told, /cannot be reached \(status 7 of curl\)[^]*--python-mirror/);
    assert.equal(await left(), "");
  });

  it("takes up an archive that was fetched in part, and a Python that was half unpacked", async () => {
    await begin("cut");
    await assert.rejects(bootstrap());
    await shop.machine.root("echo good >/run/python-mirror");
    await bootstrap();
    await shop.machine.root(
      "rm -r /opt/berth/interpreters/*/lib; rm -r /opt/berth/engines/vllm-0.33.0",
    );
    const done = await bootstrap();
    const { changed } = done.steps.find(({ name }) => name === "interpreter") ?? {};
    assert.equal(changed, true);
  });

  it("tries out the compiler before vLLM is fetched, on a system where none can be installed", async () => {
    await shop.machine.begin({ os: "fedora", installed: "580.126.09" });
    const work = shop.bootstrap({ engine: "vllm", pythonMirror, gpu: { model: "", count: 0 } });
    await failsWith("E_COMPILER", work);
    assert.equal(await shop.machine.root(`ls -A ${engines}`), "");
  });
});
