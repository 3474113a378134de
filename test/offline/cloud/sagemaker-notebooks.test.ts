import assert from "node:assert/strict";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import { CreateStateMachineCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { deleteEndpoint } from "../../../components/teardown/delete-endpoint.ts";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { notebookUsages } from "../../../scripts/adapters/cost/cost-of-notebooks.ts";
import { sagemakerQuestions } from "../../../scripts/adapters/receipt/receipt-sagemaker.ts";
import { openInstanceNotebook } from "../../../scripts/notebook/instance-notebook.ts";
import { quietTerminal } from "../../scripts/push/support.ts";
import { settingsFor, until } from "./account.ts";

const notebookName = "dev-0123456789ab";
const tags = {
  "berth:stack": "dev",
  "berth:owner": "alice",
  "berth:run-id": "0123456789ab",
  "berth:hourly-usd": "0.0500",
};

describe("notebook instances of the cloud", () => {
  let cloud: Cloud;
  let client: sagemaker.SageMakerClient;

  before(async () => {
    cloud = await startCloud({ tier: "none" });
    client = new sagemaker.SageMakerClient(settingsFor(cloud));
  });
  after(async () => {
    client.destroy();
    await cloud.stop();
  });

  const named = { NotebookInstanceName: notebookName };
  const create = (NotebookInstanceName = notebookName) =>
    client.send(
      new sagemaker.CreateNotebookInstanceCommand({
        NotebookInstanceName,
        InstanceType: "ml.t3.medium",
        RoleArn: "arn:aws:iam::123456789012:role/ask",
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );
  const state = async () => {
    const found = await client.send(new sagemaker.DescribeNotebookInstanceCommand(named));
    return found.NotebookInstanceStatus;
  };
  const open = (expiresAt: string, stop = false) => {
    const { terminal, lines } = quietTerminal();
    const outputs = { expiresAt };
    const asked = { outputs, notebookName, client: settingsFor(cloud), now: new Date(), stop };
    return openInstanceNotebook(asked, terminal).then(() => lines.join("\n"));
  };

  it("go through their states, and refuse what a state does not take", async () => {
    await create();
    await until(async () => (await state()) === "InService");
    await assert.rejects(create(), /already existing notebook-instance/);
    await assert.rejects(
      client.send(new sagemaker.DeleteNotebookInstanceCommand(named)),
      /Status \(InService\) not in/,
    );
    const usages = await notebookUsages(settingsFor(cloud), "us-east-1", new Date());
    assert.equal(usages[0]?.usage.prices[0].hourlyUsd, 0.05);
    assert.equal(usages[0].usage.stopped, undefined);
  });

  it("are opened by an address that is printed once, started where they rest, and not after the lease", async () => {
    const soon = new Date(Date.now() + 7_200_000).toISOString();
    assert.match(await open(soon, true), /stopped, with its kernels/);
    assert.equal(await state(), "Stopped");
    assert.match(await open(soon, true), /notebook +had stopped before; its disk stays/);
    const [rested] = await notebookUsages(settingsFor(cloud), "us-east-1", new Date());
    assert.equal(rested?.usage.stopped?.length, 1);
    const said = await open(soon);
    assert.match(
      said,
      /^address {4}https:\/\/dev-0123456789ab\.notebook\.us-east-1\.sagemaker\.aws\?authToken=/m,
    );
    assert.match(said, /session of 1(19|20) minutes/);
    assert.equal(await state(), "InService");
    const over = new Date(Date.now() - 1000).toISOString();
    await assert.rejects(open(over), /lease ended .* not started/);
  });

  it("fail for want of capacity, with the reason", async () => {
    cloud.setFault({ kind: "insufficient-capacity", service: "sagemaker" });
    await client.send(new sagemaker.StopNotebookInstanceCommand(named));
    await until(async () => (await state()) === "Stopped");
    const soon = new Date(Date.now() + 7_200_000).toISOString();
    await assert.rejects(open(soon), /is Failed: Insufficient capacity for ml\.t3\.medium/);
    cloud.clearFaults();
    await open(soon);
  });

  it("end at the deadline, stopped first, and the receipt names them until then", async () => {
    const scope = { client: settingsFor(cloud), region: "us-east-1", stack: "dev", owner: "alice" };
    const question = sagemakerQuestions.find(({ name }) => name === "notebook instances")!;
    const left = () => question.ask({ ...scope, tagOwner: "alice" } as never);
    assert.deepEqual(await left(), [
      { service: "sagemaker", kind: "notebook-instance", id: notebookName },
    ]);
    const functions = new SFNClient(settingsFor(cloud));
    const definition = deleteEndpoint({ endpointName: notebookName, components: [], notebookName });
    const { stateMachineArn } = await functions.send(
      new CreateStateMachineCommand({
        name: "end",
        definition,
        roleArn: "arn:aws:iam::123456789012:role/end",
      }),
    );
    await functions.send(new StartExecutionCommand({ stateMachineArn }));
    await until(async () => (await left()).length === 0, 50);
    functions.destroy();
    const soon = new Date(Date.now() + 7_200_000).toISOString();
    assert.match(await open(soon, true), /notebook +is not there, and neither is its disk/);
  });
});
