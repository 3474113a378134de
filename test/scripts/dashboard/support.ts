import type { AccountThing } from "../../../components/teardown/audit.ts";
import type {
  AccountReadings,
  DashboardReadings,
  StackFacts,
  StackReadings,
} from "../../../scripts/dashboard/readings.ts";

/** The moment of all of these. */
export const now = "2026-11-25T12:00:00.000Z";

const plan = {
  modelId: "llama-2-7b",
  ladder: [
    { instanceType: "g6.xlarge", gpuModel: "L4", gpuCount: 1, hourlyUsd: 0.8, comfortable: true },
    { instanceType: "g5.xlarge", gpuModel: "A10G", gpuCount: 1, hourlyUsd: 1, comfortable: true },
  ],
  rejected: [
    {
      instanceType: "g4dn.xlarge",
      region: "us-east-1",
      hourlyUsd: 0.5,
      kind: "memory",
      reason: "needs 18 GiB a GPU, has 15",
    },
  ],
} as const;

/** A host that runs since two hours, and has two more. */
export function factsOf(change: Partial<StackFacts> = {}): StackFacts {
  const lease = {
    startedAt: "2026-11-25T10:00:00Z",
    expiresAt: "2026-11-25T14:00:00Z",
    owner: "you@example.org",
    runId: "0123456789ab",
  };
  return {
    resources: 40,
    pending: [],
    lease,
    outputs: {
      instanceId: "i-1",
      instanceType: "g5.xlarge",
      hourlyUsd: 1.05,
      owner: lease.owner,
      startedAt: lease.startedAt,
      expiresAt: lease.expiresAt,
      plan,
    },
    region: "us-east-1",
    connection: { host: "192.0.2.1", port: 22, user: "ubuntu", hostKey: "ssh-ed25519 AAAA" },
    ownMachine: false,
    serverPort: 8000,
    endpointName: undefined,
    instanceId: "i-1",
    fakeGpu: false,
    ...change,
  };
}

/** A stack that answers. */
export function stackOf(change: Partial<StackReadings> = {}): StackReadings {
  return {
    name: "dev",
    env: "dev",
    emulated: false,
    file: { model: "llama-2-7b", owner: "you@example.org", region: "us-east-1" },
    state: { value: factsOf(), at: "2026-11-25T11:59:55.000Z" },
    serving: { value: { noun: "host", state: "running" }, at: "2026-11-25T11:59:50.000Z" },
    host: {
      value: {
        gpus: [
          { name: "NVIDIA A10G", utilisation: 63, memoryUsedMiB: 18_000, memoryTotalMiB: 23_028 },
        ],
        health: 200,
        steps: [{ name: "verify", state: "done", code: 0, lastLine: "" }],
        idleStop: false,
      },
      at: "2026-11-25T11:59:58.000Z",
    },
    ...change,
  };
}

/** A thing of the account that carries a run's tags. */
export function thingOf(kind: string, tags: Readonly<Record<string, string>>): AccountThing {
  const own = {
    "berth:stack": "dev",
    "berth:run-id": "0123456789ab",
    "berth:owner": "you@example.org",
    "berth:model": "llama-2-7b",
    "berth:hourly-usd": "1.05",
    "berth:expires-at": "2026-11-25T14:00:00Z",
  };
  return { region: "us-east-1", service: "ec2", kind, id: `${kind}-1`, tags: { ...own, ...tags } };
}

/** AWS, which knows the stack's host and its schedules. */
export function accountReadings(change: Partial<AccountReadings> = {}): AccountReadings {
  const things = [thingOf("instance", {}), thingOf("schedule-group", {})];
  return {
    emulated: false,
    regions: ["us-east-1"],
    number: { value: "123456789012", at: now },
    clock: { value: now, at: now },
    inventory: { value: { things, untaggedGpus: [], unanswered: [] }, at: now },
    ledger: {},
    ...change,
  };
}

/** All of it. */
export function readingsOf(change: Partial<DashboardReadings> = {}): DashboardReadings {
  return {
    now,
    names: { value: ["dev"], at: now },
    stacks: [stackOf()],
    files: ["dev", "prod"],
    accounts: [accountReadings()],
    ...change,
  };
}
