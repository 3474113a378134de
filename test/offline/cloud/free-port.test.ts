import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { freePort } from "../../../offline/cloud/free-port.ts";

/** Asks for six ports of a range, tells them, and lives until its input ends. */
const asker = `
  const { freePort } = await import(process.argv[1]);
  const range = JSON.parse(process.argv[2]);
  const ports = [];
  while (ports.length < 6) ports.push(await freePort(range));
  console.log(JSON.stringify(ports));
  process.stdin.resume();
`;

describe("freePort", () => {
  it("tells no port that somebody was told before, here or in another process", async () => {
    const lowest = randomInt(10_000, 31_000);
    const range = { lowest, beyond: lowest + 16 };
    const module = new URL("../../../offline/cloud/free-port.ts", import.meta.url).href;
    const words = ["--import", "tsx", "--input-type=module", "-e", asker];
    const other = spawn(process.execPath, [...words, module, JSON.stringify(range)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    try {
      const [line] = (await once(createInterface({ input: other.stdout }), "line")) as [string];
      const told = JSON.parse(line) as number[];
      while (told.length < 12) told.push(await freePort(range));
      assert.equal(new Set(told).size, 12, told.join());
    } finally {
      other.stdin.end();
      await once(other, "exit");
    }
  });

  it("tells none that is listened on, nor one that the system gives out by itself", async () => {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const range = { lowest: port, beyond: port + 12 };
    for (let asked = 0; asked < 8; asked += 1) assert.notEqual(await freePort(range), port);
    server.close();
    assert.ok((await freePort()) < 32_000);
  });
});
