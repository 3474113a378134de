import { stackPlanLines } from "../../components/sagemaker-endpoint/stack-plan-text.ts";
import { checkEndpoint } from "../adapters/endpoint-checks.ts";
import { runOperation } from "../adapters/run-operation.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { openDeployment, planDeployment, type StackOptions } from "../deployment.ts";
import { exitCode } from "../exit-code.ts";

/** `berth preview`: the plan, and every resource that an `up` would make, change or remove. */
export async function runPreview(options: StackOptions, terminal: Terminal): Promise<number> {
  const deployment = planDeployment(options, true);
  terminal.say(...stackPlanLines(deployment.plan), "");
  for (const warning of await checkEndpoint(deployment)) terminal.complain(`  ${warning}`);
  const { engine, stack } = await openDeployment(options, deployment);
  terminal.say(`preview "${options.env}" with the ${engine.name} engine ${engine.version}`);
  const { result, steps, seconds } = await runOperation({
    name: "preview",
    terminal,
    work: (hooks) => stack.preview({ ...hooks, color: "never" }),
  });
  const { plan } = deployment;
  const counts = Object.entries(result.changeSummary).map(([what, count]) => `${count} ${what}`);
  terminal.say("", `would be   ${counts.join(", ") || "no change"} (${seconds.toFixed(1)} s)`);
  if (plan.gated && !deployment.settings.acceptLicence) {
    terminal.say(`licence    "up" needs --accept-licence ${plan.licence}`);
  }
  terminal.result({ plan, engine: engine.name, changes: result.changeSummary, steps, seconds });
  return exitCode.ok;
}
