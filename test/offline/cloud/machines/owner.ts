import { createInterface } from "node:readline";
import type { MachineSpec } from "../../../../offline/cloud/machines/machine.ts";
import { chooseTier } from "../../../../offline/cloud/machines/tiers.ts";

// Starts one machine, says where it is, and waits to be killed.
const name = process.argv[2] === "nspawn" ? "nspawn" : "process";
const tier = await chooseTier(name);
await tier?.prepare(() => undefined);
createInterface({ input: process.stdin }).once("line", (line) => {
  void tier?.start(JSON.parse(line) as MachineSpec).then((machine) => {
    process.stdout.write(`${machine.address}\n`);
  });
});
