import type { PythonChoice } from "./choose-python.ts";
import type { BootstrapPlan } from "./plan.ts";
import type { HostFacts } from "./facts.ts";
import { gpusOnBus } from "./gpu-hardware.ts";

function gpuLine(facts: HostFacts): string {
  if (facts.gpus.length > 0) {
    const names = [...new Set(facts.gpus.map(({ name }) => name))].join(", ");
    return `${facts.gpus.length} x ${names}${facts.emulated ? " (emulated)" : ""}`;
  }
  const found = gpusOnBus(facts);
  if (found.length === 0) return "none";
  const names = found.map(
    ({ model, device, architecture }) => `${model ?? `10de:${device}`} (${architecture})`,
  );
  return `${found.length} x ${[...new Set(names)].join(", ")}, by the PCI bus`;
}

/** Such as "3.12.3, the system's". */
function pythonWords({ source, version, what, why }: PythonChoice): string {
  if (source !== "system") return `${what}: ${why}`;
  return version === "" ? what : `${version}, ${what}`;
}

/** Lines that say what a bootstrap will do to a host, and why; a refused plan says only that. */
export function bootstrapPlanLines(facts: HostFacts, plan: BootstrapPlan): readonly string[] {
  const { driver, reboot, storage } = plan;
  const head = [
    `system   ${facts.os} ${facts.osVersion}, ${facts.architecture}, kernel ${facts.kernel}`,
    `GPUs     ${gpuLine(facts)}`,
  ];
  if (plan.refusals.length > 0) {
    return [
      ...head,
      "refused",
      ...plan.refusals.flatMap(({ code, message, remedy }) => [
        `  ${code}: ${message}`,
        `    ${remedy}`,
      ]),
    ];
  }
  const installs = driver.strategy === "precompiled" || driver.strategy === "dkms";
  return [
    ...head,
    `driver   ${driver.strategy}: ${driver.why}`,
    ...driver.fallbacks.map(({ strategy, why }) => `         else ${strategy}: ${why}`),
    ...(installs || driver.fallbacks.length > 0
      ? [`         branch ${driver.branch}, ${driver.modules} modules (${driver.modulesWhy})`]
      : []),
    `reboot   ${reboot.when}: ${reboot.why}`,
    `weights  ${storage.why}`,
    ...(plan.python === undefined ? [] : [`python   ${pythonWords(plan.python)}`]),
    "steps",
    ...plan.steps.map(({ name, after, ways }) => {
      const waits = after.length === 0 ? "" : ` (after ${after.join(", ")})`;
      return `  ${name.padEnd(15)} ${ways[0].why}${waits}`;
    }),
  ];
}
