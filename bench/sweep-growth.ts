import { performance } from "node:perf_hooks";

import { ownerTag, protectTag, runTag, stackTag } from "../components/identity.ts";
import { auditRuns } from "../components/teardown/audit.ts";
import { sweepByTag } from "../components/teardown/sweep-by-tag.ts";
import { ModelAccount } from "../test/chaos/model-account.ts";
import { Random } from "../test/chaos/random.ts";
import { runMachine } from "../test/chaos/state-machine.ts";

/** How sweeps and the audit grow with the account, on the model of it: `node --import tsx bench/sweep-growth.ts`. */
const run = { stack: "dev", owner: "alice", runId: "0123456789ab" };
const tags = {
  [stackTag]: run.stack,
  [ownerTag]: run.owner,
  [runTag]: run.runId,
  [protectTag]: "false",
};
const definition = sweepByTag(run);

/** Nothing goes on growing for ever: a day of sweeps. */
const mostSweeps = 288;

for (const count of [10, 100, 1000, 10_000]) {
  const account = new ModelAccount(new Random(count));
  // Half of them are instances with a volume each, half belong to others.
  for (let index = 0; index < count; index += 1) {
    const own = index % 2 === 0 ? tags : { ...tags, [runTag]: "ffffffffffff" };
    account.make("volume", own, { partOf: account.make("instance", own).id });
  }
  const things = account.things.map(({ id, kind, tags: given }) => {
    return { region: "us-east-1", service: "ec2", kind, id, tags: given };
  });
  const auditBegan = performance.now();
  auditRuns(things, new Date());
  const auditMs = performance.now() - auditBegan;
  const began = performance.now();
  let sweeps = 0;
  const left = () => account.alive(({ tags: each }) => each[runTag] === run.runId).length;
  while (left() > 0 && sweeps < mostSweeps) {
    sweeps += 1;
    runMachine(definition, { time: `sweep ${sweeps}` }, (name, parameters) =>
      account.byMachine(name, parameters, "sweeper"),
    );
  }
  const ms = performance.now() - began;
  console.log(
    `${count} instances, half of them the run's: ${sweeps} sweeps, ${account.calls} calls, ${left()} left, ${ms.toFixed(0)} ms; audit ${auditMs.toFixed(1)} ms`,
  );
}
