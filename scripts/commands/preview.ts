import { writeFile } from "node:fs/promises";
import { stackPlanLines } from "../../components/sagemaker-endpoint/stack-plan-text.ts";
import { licencedModels } from "../../stacks/licence.ts";
import { readClock } from "../adapters/clock.ts";
import { checkEndpoint } from "../adapters/endpoint/endpoint-checks.ts";
import { runOperation } from "../adapters/run-operation.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { explainError } from "../cli/command-error.ts";
import {
  accountLines,
  openDeployment,
  planDeployment,
  type StackOptions,
} from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import { endedLines, hostsEnded } from "../stack/host-ended.ts";
import { costLinesOf, previewedCostOf } from "../plan/preview-cost.ts";
import { failedPreviewMarkdown, previewMarkdown, type Previewed } from "../ci/preview-markdown.ts";
import { readOutputs } from "../stack/stack-outputs.ts";

/** Flags of `berth preview`. */
export interface PreviewOptions extends StackOptions {
  /** File for a comment on a pull request; it is written when the preview fails too. */
  readonly markdown?: string;
}

/** `berth preview`: the plan, and every resource that an `up` would make, change or remove. */
export async function runPreview(options: PreviewOptions, terminal: Terminal): Promise<number> {
  const { env, markdown } = options;
  try {
    const previewed = await preview(options, terminal);
    if (markdown !== undefined) await writeFile(markdown, previewMarkdown(previewed));
    return exitCode.ok;
  } catch (error) {
    const { text } = explainError(error);
    if (markdown !== undefined) await writeFile(markdown, failedPreviewMarkdown(env, text));
    throw error;
  }
}

async function preview(options: StackOptions, terminal: Terminal): Promise<Previewed> {
  const deployment = planDeployment(options, true);
  terminal.say(...stackPlanLines(deployment.plan), "");
  terminal.say(...(await accountLines(deployment)));
  for (const warning of await checkEndpoint(deployment)) terminal.complain(`  ${warning}`);
  const { engine, stack } = await openDeployment(options, deployment);
  terminal.say(`preview "${options.env}" with the ${engine.name} engine ${engine.version}`);
  const outputs = readOutputs(await stack.outputs());
  const gone = await hostsEnded(deployment, outputs);
  terminal.say(...endedLines(gone, "an up makes another"));
  const refresh = gone.length > 0;
  const { result, steps, seconds } = await runOperation({
    name: "preview",
    terminal,
    work: (hooks) => stack.preview({ ...hooks, color: "never", refresh }),
  });
  const { plan, cloud } = deployment;
  const cost = previewedCostOf(deployment, outputs, await readClock(cloud));
  const counts = Object.entries(result.changeSummary).map(([what, count]) => `${count} ${what}`);
  terminal.say("", `would be   ${counts.join(", ") || "no change"} (${seconds.toFixed(1)} s)`);
  terminal.say(...costLinesOf(deployment, cost));
  const { acceptLicence = [] } = deployment.settings;
  const needed = licencedModels(plan)
    .filter(({ gated, licence }) => gated && !acceptLicence.includes(licence))
    .map(({ licence }) => licence);
  if (needed.length > 0) {
    terminal.say(`licence    "up" needs --accept-licence ${[...new Set(needed)].join(",")}`);
  }
  const { changeSummary: changes } = result;
  terminal.result({ plan, engine: engine.name, changes, cost, steps, seconds });
  return { stack: options.env, plan, cost, steps };
}
