import type { Machine, MachineSpec, MachineTier } from "../../../offline/cloud/machines/machine.ts";

/** A machine that only remembers what was done to it. */
export interface FakeMachine extends Machine {
  readonly spec: MachineSpec;
  readonly done: string[];
  powerOff(): void;
}

/** A tier whose machines are records; `boot` may delay or fail a start. */
export function fakeTier(boot: (spec: MachineSpec) => Promise<void> = () => Promise.resolve()): {
  tier: MachineTier;
  machines: Map<string, FakeMachine>;
} {
  const machines = new Map<string, FakeMachine>();
  const tier: MachineTier = {
    name: "process",
    available: () => Promise.resolve({ ok: true, why: "" }),
    cacheBytes: () => Promise.resolve(0),
    prepare: () => Promise.resolve(),
    start: async (spec) => {
      await boot(spec);
      const done: string[] = [];
      let end: (how: "poweroff" | "terminated" | "crashed") => void = () => undefined;
      const machine: FakeMachine = {
        spec,
        done,
        address: "127.0.0.1",
        sshPort: spec.sshPort,
        ended: new Promise((resolve) => {
          end = resolve;
        }),
        consoleOutput: () => `console of ${spec.instanceId}`,
        writeImage: (path) => {
          done.push(`image ${path}`);
          return Promise.resolve();
        },
        reboot: () => {
          done.push("reboot");
          return Promise.resolve();
        },
        terminate: () => {
          done.push("terminate");
          end("terminated");
          return Promise.resolve();
        },
        powerOff: () => {
          end("poweroff");
        },
      };
      machines.set(spec.instanceId, machine);
      return machine;
    },
  };
  return { tier, machines };
}
