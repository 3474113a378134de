// Brings the files of a plan from S3 into a folder, and tells whether a folder still holds them.
// It runs on the host under Node >= 22 and needs nothing else.
//
//   node main.mjs sync PLAN.json      prints `@progress {...}` lines, then `@result {...}` or `@error {...}`
//   node main.mjs check FOLDER [deep] prints `@result {...}`; `deep` reads every byte
//
// Exit status: 0 done, 1 failed, 3 an object changed under way (plan again), 143 ended by SIGTERM.

import { check } from "./check.mjs";
import { readJson } from "./folder.mjs";
import { Changed, named, Refusal } from "./outcome.mjs";
import { Sync } from "./sync.mjs";

const say = (kind, value) => process.stdout.write(`@${kind} ${JSON.stringify(value)}\n`);

/** The status of a process that SIGTERM ended. */
const stopped = 143;

async function main([command, argument, depth]) {
  if (command === "check") return say("result", await check(argument, depth === "deep"));
  if (command !== "sync") throw new Refusal("E_USAGE", `unknown command ${command}`);
  const plan = await readJson(argument, undefined);
  if (plan === undefined) throw new Refusal("E_USAGE", `the plan ${argument} cannot be read`);
  const sync = new Sync(plan, say);
  // A system that goes down gives each process a while to end.
  process.on("SIGTERM", () => {
    if (!sync.stop()) process.exit(stopped);
  });
  const result = await sync.run().catch((error) => {
    throw Object.assign(error, { folder: plan.folder });
  });
  return say("result", result);
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    say("error", named(error, error.folder ?? "the folder"));
    if (error.code === "E_STOPPED") process.exit(stopped);
    process.exit(error instanceof Changed ? 3 : 1);
  },
);
