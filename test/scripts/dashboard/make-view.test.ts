import assert from "node:assert/strict";
import type { LedgerLine } from "../../../components/cost/ledger.ts";
import { stackCard } from "../../../components/dashboard-page/stack-card.ts";
import { makeView } from "../../../scripts/dashboard/make-view.ts";
import type { StackReadings } from "../../../scripts/dashboard/readings.ts";
import { accountReadings, factsOf, now, readingsOf, stackOf, thingOf } from "./support.ts";

function onlyStack(change: Partial<StackReadings> = {}) {
  const [stack] = makeView(readingsOf({ stacks: [stackOf(change)] })).stacks;
  assert.ok(stack !== undefined);
  return stack;
}

const line: LedgerLine = {
  runId: "0123456789ab",
  stack: "dev",
  env: "dev",
  owner: "you@example.org",
  model: "llama-2-7b",
  region: "us-east-1",
  day: "2026-11-25",
  kind: "instance",
  resourceId: "i-1",
  type: "g5.xlarge",
  unitHours: 2,
  usd: 1.4,
};

describe("makeView", () => {
  it("tells of a stack what runs, what it costs, when it ends and how old each figure is", () => {
    const view = makeView(readingsOf());
    const [stack] = view.stacks;
    assert.equal(stack?.status.text, "runs");
    assert.equal(stack.status.at, "2026-11-25T11:59:55.000Z");
    assert.equal(stack.answer.text, "yes");
    assert.equal(stack.gpuFigure.text, "63 %");
    assert.deepEqual(
      [stack.owner, stack.model, stack.instanceType, stack.expiresAt],
      ["you@example.org", "llama-2-7b", "g5.xlarge", "2026-11-25T14:00:00Z"],
    );
    assert.deepEqual([stack.cost?.usd, stack.cost?.hourlyUsd], [2.1, 1.05]);
    assert.deepEqual([view.idle, view.silent, view.hourlyUsd], [["prod"], [], 1.05]);
  });

  it("tells what an endpoint of several models serves, and shows it", () => {
    const served = [
      { what: "component", text: "qwen2.5-7b: InService, 1 copy, $1.44 of the hour" },
      { what: "idle", text: "1 of 4 GPUs, $1.44 of the hour" },
    ];
    const facts = factsOf({ endpointName: "dev-1", instanceId: undefined });
    const stack = onlyStack({
      state: { value: facts, at: now },
      serving: { value: { noun: "endpoint", state: "InService", served }, at: now },
    });
    assert.deepEqual(stack.served, served);
    assert.match(
      stackCard(stack, now).markup,
      /<li>component qwen2\.5-7b: InService, 1 copy, \$1\.44 of the hour<\/li>/,
    );
    assert.deepEqual(onlyStack().served, []);
  });

  it("says why the ladder gave that type, and which rungs were not to be had", () => {
    const { choice } = onlyStack();
    assert.ok(choice !== undefined);
    assert.match(choice.reason, /g6\.xlarge is the cheapest.*was not to be had.*rung 2/);
    const outcomes = choice.rungs.map(({ outcome }) => outcome);
    assert.deepEqual(outcomes, ["tried first, and not had", "runs"]);
    assert.match(choice.refused.join(), /g4dn\.xlarge/);
  });

  it("takes the cost from launch records once they have the host", () => {
    const unanswered = ["egress in us-east-1: AccessDenied"];
    const ledger = { value: { lines: [line], at: "2026-11-25T11:58:00Z", unanswered }, at: now };
    const view = makeView(readingsOf({ accounts: [accountReadings({ ledger })] }));
    const [stack] = view.stacks;
    assert.equal(view.silent[0]?.why, unanswered[0]);
    assert.equal(stack?.cost?.usd, 1.4);
    assert.equal(stack.cost.at, "2026-11-25T11:58:00Z");
    assert.match(stack.cost.by, /launch records/);
  });

  it("goes by the account's clock, which may be another than this machine's", () => {
    const clock = { value: "2026-11-25T16:30:00Z", at: "2026-11-25T11:59:00Z" };
    const view = makeView(readingsOf({ accounts: [accountReadings({ clock })] }));
    const [stack] = view.stacks;
    assert.deepEqual(
      [stack?.now, stack?.status.text, stack?.cost?.hourlyUsd],
      ["2026-11-25T16:31:00Z", "past its deadline", 0],
    );
  });

  it("names what did not answer, keeps what was known before, and hides nothing else", () => {
    const lost = { problem: "timed out", problemAt: now };
    const host = { ...stackOf().host, ...lost };
    const serving = lost;
    const account = accountReadings({ inventory: lost });
    const view = makeView(
      readingsOf({ stacks: [stackOf({ host, serving })], accounts: [account] }),
    );
    const [stack] = view.stacks;
    assert.deepEqual(
      view.silent.map(({ part }) => part),
      ["host or endpoint of dev", "SSH to the host of dev", "inventory of AWS"],
    );
    assert.deepEqual([stack?.answer.text, stack?.answer.problem], ["yes", "timed out"]);
    assert.deepEqual([stack?.serving.text, stack?.serving.at], ["not known", undefined]);
    assert.deepEqual([stack?.status.text, stack?.expiresAt], ["not known", "2026-11-25T14:00:00Z"]);
  });

  it("does not say that a host runs when EC2 no longer tells", () => {
    const serving = { ...stackOf().serving, problem: "timed out", problemAt: now };
    const { status } = onlyStack({ serving });
    assert.deepEqual(
      [status.text, status.tone, status.at],
      ["not known; was: runs", "mind", "2026-11-25T11:59:50.000Z"],
    );
  });

  it("names single questions of the inventory that had no answer", () => {
    const unanswered = [{ question: "tags in us-east-1", why: "AccessDenied" }];
    const things = [thingOf("instance", {}), thingOf("schedule-group", {})];
    const inventory = { value: { things, untaggedGpus: [], unanswered }, at: now };
    const view = makeView(readingsOf({ accounts: [accountReadings({ inventory })] }));
    assert.deepEqual(view.silent, [{ part: "tags in us-east-1", why: "AccessDenied", at: now }]);
    assert.equal(view.stacks[0]?.status.text, "runs");
  });

  it("lists what is left over and what others run, and not what the stacks account for", () => {
    const old = { "berth:run-id": "old", "berth:expires-at": "2026-11-25T09:00:00Z" };
    const hers = { "berth:run-id": "hers", "berth:owner": "ann", "berth:stack": "dev-ann" };
    const things = [
      thingOf("instance", {}),
      thingOf("schedule-group", {}),
      thingOf("volume", old),
      thingOf("instance", hers),
      thingOf("schedule-group", hers),
    ];
    const untaggedGpus = [
      { service: "ec2", kind: "instance", id: "i-9", region: "us-east-1", type: "p5.48xlarge" },
    ];
    const inventory = { value: { things, untaggedGpus, unanswered: [] }, at: now };
    const [account] = makeView(readingsOf({ accounts: [accountReadings({ inventory })] })).accounts;
    assert.deepEqual(
      account?.others.map(({ stack, owner, verdict }) => [stack, owner, verdict]),
      [
        ["dev-ann", "ann", "running"],
        ["dev", "you@example.org", "past-deadline"],
      ],
    );
    assert.deepEqual(account.untagged, ["p5.48xlarge i-9 in us-east-1"]);
  });

  it("shows an up that is under way: the engine's operations, and the weights' bytes", () => {
    const facts = factsOf({
      outputs: {},
      pending: [{ operation: "creating", name: "dev-weights" }],
    });
    const probe = {
      gpus: [],
      health: undefined,
      idleStop: false,
      steps: [
        { name: "prepare", state: "done", code: 0, lastLine: "ready" },
        { name: "driver", state: "done", code: 9, lastLine: "no such driver" },
        {
          name: "weights",
          state: "running",
          code: 0,
          lastLine: "",
          progress: { ready: 3e9, total: 12e9 },
        },
      ],
    } as const;
    const stack = onlyStack({ state: { value: facts, at: now }, host: { value: probe, at: now } });
    assert.equal(stack.status.text, "under way, or cut off");
    assert.deepEqual(
      stack.steps.map(({ name, where, state, detail }) => [name, where, state, detail]),
      [
        ["dev-weights", "engine", "under way", "creating"],
        ["prepare", "host", "done", "ready"],
        ["driver", "host", "failed", "status 9: no such driver"],
        ["weights", "host", "under way", "3.00 of 12.00 GB"],
      ],
    );
    assert.equal(stack.steps[3]?.share, 0.25);
    assert.equal(stack.model, "llama-2-7b");
  });

  it("says of a host that it has ended, and counts nothing more", () => {
    const stack = onlyStack({
      serving: { value: { noun: "host", state: "terminated" }, at: now },
    });
    assert.equal(stack.status.text, "ended; the rest of it is there");
    assert.equal(stack.cost?.hourlyUsd, 0);
  });

  it("says that a model does not answer though its host runs", () => {
    const probe = { ...stackOf().host.value, gpus: [], health: 0, steps: [], idleStop: true };
    const stack = onlyStack({ host: { value: probe, at: now } });
    assert.deepEqual([stack.status.text, stack.answer.text], ["runs, and does not answer", "no"]);
    assert.equal(stack.gpuFigure.text, "the driver does not answer");
    assert.match(stack.attention.join(), /a look counts as use/);
  });

  it("shows a machine of one's own, which no account knows and nobody pays by the hour", () => {
    const outputs = { ...factsOf().outputs, instanceId: undefined, hourlyUsd: 0, expiresAt: "" };
    const lease = { startedAt: "2026-11-25T10:00:00Z", expiresAt: "", owner: "ann", runId: "r" };
    const facts = factsOf({ ownMachine: true, instanceId: undefined, outputs, lease });
    const state = { value: facts, at: now };
    const stacks = [stackOf({ state, serving: {} })];
    const view = makeView(readingsOf({ stacks, accounts: [] }));
    const [stack] = view.stacks;
    assert.deepEqual(
      [stack?.target, stack?.status.text, stack?.answer.text, stack?.cost, stack?.expiresAt],
      ["own machine", "runs", "yes", undefined, ""],
    );
  });

  it("has nothing to say before anything was read", () => {
    const view = makeView(readingsOf({ names: {}, stacks: [], accounts: [] }));
    assert.deepEqual([view.listed, view.stacks, view.silent], [false, [], []]);
    const stack = onlyStack({ state: {}, serving: {}, host: {} });
    assert.deepEqual([stack.status.text, stack.answer.text, stack.cost], ["", "", undefined]);
  });
});
