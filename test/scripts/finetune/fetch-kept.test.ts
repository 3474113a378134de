import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UserError } from "../../../components/user-error.ts";
import { fetchKept, placeInOutput } from "../../../scripts/finetune/fetch-kept.ts";
import { fromPython } from "./python-parts.ts";

describe("What is fetched of a training", () => {
  it("lies where the programs of its folder look for it", () => {
    assert.equal(placeInOutput({ megatron: false }, "checkpoint-120"), "checkpoint-120");
    const place = placeInOutput({ megatron: true }, "checkpoint-120");
    const theirs = `from pathlib import Path
import checkpoints
checkpoints.by_megatron = lambda output: True
print(json.dumps(checkpoints.folder_of(Path("."), 120).as_posix()))`;
    assert.equal(place, fromPython(theirs, tmpdir()));
    for (const result of ["adapter", "model"]) {
      assert.equal(placeInOutput({ megatron: true }, result), result);
    }
  });
});

describe("A newest.json that somebody else wrote", () => {
  const local = mkdtempSync(join(tmpdir(), "berth-fetch-"));
  const folder = join(local, "job");
  const job = {
    ...{ folder, name: "job", modelId: "tiny", baseModel: "owner/tiny" },
    ...{ schemaVersion: 1 as const, gated: false, megatron: false },
  };
  const own = join(folder, "output/of-this-machine");
  let newest: string;
  const server = createServer((_request, response) => response.end(newest));
  const environment = { ...process.env };

  before(async () => {
    mkdirSync(join(folder, "output"), { recursive: true });
    writeFileSync(own, "stays");
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const endpoint = `http://127.0.0.1:${port}`;
    Object.assign(process.env, { AWS_ENDPOINT_URL_S3: endpoint, AWS_ACCESS_KEY_ID: "test" });
    process.env["AWS_SECRET_ACCESS_KEY"] = "test";
  });
  after(() => {
    server.close();
    for (const name of ["AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) {
      if (environment[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = environment[name];
    }
    rmSync(local, { recursive: true });
  });

  const place = { bucket: "kept", prefix: "training/", region: "us-east-1", endpoint: undefined };
  const refused = ({ message }: UserError) => message.includes("is not as berth writes it");

  it("empties no folder of this machine but what a training leaves, and is refused where it is none", async () => {
    const facts = { schemaVersion: 1, training: "?", step: 3 };
    for (const wrong of [".", "..", "of-this-machine"]) {
      newest = JSON.stringify({ ...facts, result: { folder: wrong, files: [] } });
      await assert.rejects(fetchKept(job, { ...place, goesWithStack: false }), refused);
    }
    newest = "<html>";
    await assert.rejects(fetchKept(job, { ...place, goesWithStack: false }), refused);
    assert.ok(existsSync(own));
  });

  it("empties none of a host either", () => {
    const lines = `from pathlib import Path
import checkpoints
store = object.__new__(checkpoints.Store)
store.output, store.uri = Path("output"), "s3://kept/training/"
said = []
for name in (".", "..", "/", "of-this-machine"):
    try:
        store.fetch_folder({"folder": name, "files": []}, store.output / "of-this-machine")
    except checkpoints.Unusable as error:
        said.append(str(error))
print(json.dumps(said))`;
    const said = fromPython(lines, folder) as string[];
    assert.equal(said.length, 4);
    assert.match(said[0]!, /names a folder that no training leaves: \./);
    assert.ok(existsSync(own));
  });
});
