import {
  DescribeNotebookInstanceCommand,
  SageMakerClient,
  type DescribeNotebookInstanceCommandOutput,
} from "@aws-sdk/client-sagemaker";
import { timestamp } from "../../../components/lease/lease.ts";
import type { ClientSettings } from "../account-scope.ts";
import type { TaggedUsage } from "./cost-of-hosts.ts";
import { taggedThings } from "../tagged-things.ts";

async function describe(
  client: SageMakerClient,
  NotebookInstanceName: string,
): Promise<DescribeNotebookInstanceCommandOutput | undefined> {
  try {
    return await client.send(new DescribeNotebookInstanceCommand({ NotebookInstanceName }));
  } catch (error) {
    // The tag index names one for a while after it is gone; SageMaker says so in two ways.
    const missing = /could not find|RecordNotFound/i;
    if (error instanceof Error && missing.test(error.message)) return undefined;
    throw error;
  }
}

/**
 * Notebook instances of all runs in a region. SageMaker tells when one was last started or stopped, and no time before that: one
 * that was stopped in between is counted as if it had run, so that the sum is the most that it can be.
 */
export async function notebookUsages(
  given: ClientSettings,
  region: string,
  now: Date,
): Promise<readonly TaggedUsage[]> {
  const settings = { ...given, region };
  const client = new SageMakerClient(settings);
  try {
    const found: TaggedUsage[] = [];
    for (const { arn, tags } of await taggedThings(settings, "sagemaker:notebook-instance")) {
      const name = arn.slice(arn.lastIndexOf("/") + 1);
      const notebook = await describe(client, name);
      if (notebook === undefined) continue;
      const from = timestamp(notebook.CreationTime ?? now);
      const rests = ["Stopped", "Failed"].includes(notebook.NotebookInstanceStatus ?? "");
      const hourlyUsd = Number(tags["berth:hourly-usd"] ?? 0);
      const since = timestamp(notebook.LastModifiedTime ?? now);
      found.push({
        tags,
        usage: {
          kind: "notebook",
          resourceId: name,
          type: notebook.InstanceType ?? "",
          units: 1,
          span: { from },
          prices: [{ from, hourlyUsd }],
          ...(rests ? { stopped: [{ from: since }] } : {}),
        },
      });
    }
    return found;
  } finally {
    client.destroy();
  }
}
