import { stackPlanLines } from "../../components/sagemaker-endpoint/stack-plan-text.ts";
import { readClock } from "../adapters/clock.ts";
import { accountOf } from "../adapters/account.ts";
import { withBudgetRefusal } from "../adapters/budget-refusal.ts";
import { checkEndpoint } from "../adapters/endpoint/endpoint-checks.ts";
import { withEndpointFailure } from "../adapters/endpoint/endpoint-failure.ts";
import { runOperation } from "../adapters/run-operation.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { bakedImageLines } from "../stack/baked-image-line.ts";
import { costLines, runningCost } from "../stack/cost-lines.ts";
import {
  accountLines,
  openDeployment,
  planDeployment,
  type StackOptions,
} from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import { endedLines, hostsEnded } from "../stack/host-ended.ts";
import { costLinesOf, previewedCostOf } from "../plan/preview-cost.ts";
import { requireWeights } from "../push/require-weights.ts";
import { hostName, hostsOf } from "../stack/stack-hosts.ts";
import { printedOutputs, readOutputs, type BerthOutputs } from "../stack/stack-outputs.ts";
import { machineLines } from "./existing-host.ts";

function outputLines(outputs: BerthOutputs, env: string): readonly string[] {
  const { instanceType, url, weightsUri, endpointName, machineId } = outputs;
  if (endpointName !== undefined) {
    const stopped = outputs.endpointState === "stopped";
    return [
      `endpoint   ${endpointName} on ${instanceType ?? "?"}${stopped ? `, stopped; start it with: npm run berth -- start --env ${env}` : ""}`,
      `weights    ${weightsUri ?? "?"}`,
      `answers    npm run berth -- invoke --env ${env} "your prompt"`,
    ];
  }
  if (machineId !== undefined) return machineLines(outputs, env);
  const where = outputs.hosts === undefined ? "" : " --host 0";
  const hosts = hostsOf(outputs).map((host) => {
    const name = hostName(outputs, host.index).padEnd(10);
    return `${name} ${instanceType ?? "?"} ${host.instanceId ?? "?"} at ${host.address ?? "?"}`;
  });
  return [
    ...hosts,
    `weights    ${weightsUri ?? "?"}`,
    `answers    npm run berth -- invoke "your prompt" --env ${env}${where}`,
    `           ${url ?? "?"} on the host; log in with: npm run berth -- ssh --env ${env}${where}`,
  ];
}

/** `berth up`: the plan and what it changes in cost, then every step with its time, then the outputs, the cost and the deadline. */
export async function runUp(options: StackOptions, terminal: Terminal): Promise<number> {
  const deployment = planDeployment(options, false);
  terminal.say(...stackPlanLines(deployment.plan), "");
  terminal.say(...(await accountLines(deployment)));
  for (const warning of await checkEndpoint(deployment)) terminal.complain(`  ${warning}`);
  const { engine, stack } = await openDeployment(options, deployment);
  await requireWeights(deployment, stack);
  const before = readOutputs(await stack.outputs());
  const previewed = previewedCostOf(deployment, before, await readClock(deployment.cloud));
  const cost = costLinesOf(deployment, previewed);
  if (cost.length > 0) terminal.say(...cost, "");
  terminal.say(`up "${options.env}" with the ${engine.name} engine ${engine.version}`);
  const gone = await hostsEnded(deployment, before);
  terminal.say(...endedLines(gone, "another one is made"));
  terminal.say(...(await bakedImageLines(deployment, gone.length > 0 ? {} : before)));
  const refresh = gone.length > 0;
  const report = await runOperation({
    name: "up",
    terminal,
    work: (hooks) => stack.up({ ...hooks, color: "never", refresh }),
  }).catch(async (error: unknown) => {
    const { settings, cloud } = deployment;
    const explained = withBudgetRefusal(error, settings.target === "existing-host" ? {} : settings);
    throw settings.target === "sagemaker"
      ? await withEndpointFailure(explained, stack, accountOf(options.env, settings.region, cloud))
      : explained;
  });
  const outputs = readOutputs(report.result.outputs);
  const now = await readClock(deployment.cloud);
  const time = `${report.steps.length} steps in ${report.seconds.toFixed(1)} s`;
  terminal.say("", `done       ${time}`, ...outputLines(outputs, options.env));
  if (outputs.machineId === undefined) terminal.say(...costLines(outputs, now));
  const { steps, seconds } = report;
  terminal.result({
    plan: deployment.plan,
    engine: engine.name,
    steps,
    seconds,
    outputs: printedOutputs(outputs),
    previewed,
    cost: runningCost(outputs, now) ?? null,
  });
  return exitCode.ok;
}
