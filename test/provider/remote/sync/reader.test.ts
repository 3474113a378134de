import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

type Exchange = () => Promise<never>;
interface Reader {
  stopped: boolean;
  read(
    connection: { exchange: Exchange },
    file: object,
    range: object,
    view: Buffer,
  ): Promise<void>;
}
const engine = join(import.meta.dirname, "../../../../provider/remote/sync");
const load = (name: string): Promise<unknown> => import(pathToFileURL(join(engine, name)).href);
const { Origin } = (await load("connection.mjs")) as { Origin: new (address: string) => object };
const { Transient } = (await load("outcome.mjs")) as { Transient: new (text: string) => Error };
const { Reader } = (await load("reader.mjs")) as {
  Reader: new (plan: object, origin: object, onTrouble: () => void) => Reader;
};

describe("A reader of the sync", () => {
  it("asks no more once it is told to end, though that comes between two tries", async () => {
    const service = process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"];
    process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:1";
    const origin = new Origin("http://127.0.0.1:1/weights/");
    const reader: Reader = new Reader({ attempts: 10 }, origin, () => (reader.stopped = true));
    if (service === undefined) delete process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"];
    else process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = service;
    let asked = 0;
    const exchange: Exchange = () => {
      asked += 1;
      return Promise.reject(new Transient("no bytes"));
    };
    const file = { key: "m/a", size: 1, etag: '"x"', query: "signed" };
    const reading = reader.read({ exchange }, file, { start: 0, length: 1 }, Buffer.alloc(1));
    await assert.rejects(reading, /no bytes/);
    assert.equal(asked, 1);
  });
});
