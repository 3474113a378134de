import * as pulumi from "@pulumi/pulumi";
import { hourlyUsdOn } from "../components/sagemaker-endpoint/instance-pools.ts";
import type { ExistingHostDeployment } from "./existing-host-stack.ts";
import { storedAdapters } from "../components/model-server/adapters.ts";
import { declaredMonth } from "./declared-month.ts";
import type { GpuHostDeployment, ServingHost } from "./gpu-host-stack.ts";
import type { EndpointDeployment } from "./sagemaker-stack.ts";

/** What a stack tells: read by `berth status`, `pulumi stack output` and other stacks. Of several hosts, the first is told plainly. */
export function stackOutputs(deployment: GpuHostDeployment) {
  const { settings, plan, lease, hosts, user, launched, refusals, token } = deployment;
  const { weightsUri, checkpointsUri } = deployment;
  const [{ instanceId, address, hostKey, through, server }] = hosts;
  return {
    plan,
    instanceId,
    instanceType: launched.apply(({ instanceType }) => instanceType),
    /** The rung that EC2 gave, and where; what it refused before that. */
    launched,
    refusals,
    address,
    sshPort: settings.sshPort,
    user,
    /** The key to pin when connecting: the host's own since the first contact. */
    hostKey,
    ...(through === undefined ? {} : { sshThrough: through }),
    /** On the host's loopback; reach it through SSH. */
    url: server.url,
    apiToken: token,
    certificate: server.certificate,
    ...(hosts.length === 1 ? {} : { hosts: hosts.map(hostOutputs) }),
    /** By which requests name what is served beside the model. */
    ...(settings.adapters === undefined
      ? {}
      : { adapters: storedAdapters(settings.adapters).map(({ name }) => name) }),
    ...(settings.promptTemplate === undefined ? {} : { promptTemplate: settings.promptTemplate }),
    startedAt: lease.startedAt,
    expiresAt: lease.expiresAt,
    ...priced(deployment),
    owner: settings.owner,
    weightsUri,
    ...(checkpointsUri === undefined ? {} : { checkpointsUri }),
    catalogueVersion: plan.catalogueVersion,
  };
}

/** What is told of each of several hosts. */
function hostOutputs(host: ServingHost) {
  const { index, instanceId, address, privateAddress, hostKey, through, server } = host;
  return {
    index,
    instanceId,
    address,
    /** By which the others reach it: what a training takes as MASTER_ADDR. */
    privateAddress,
    hostKey,
    ...(through === undefined ? {} : { sshThrough: through }),
    url: server.url,
    certificate: server.certificate,
  };
}

/** A preview says the price of the first rung, an `up` that of the rung that EC2 gave; of all hosts together. */
function priced({ launched, hosts, plan, settings }: GpuHostDeployment) {
  const hourlyUsd = pulumi.runtime.isDryRun()
    ? pulumi.output(plan.hourlyUsd)
    : launched.apply((rung) => rung.totalHourlyUsd * hosts.length);
  return { hourlyUsd, monthlyUsd: hourlyUsd.apply((usd) => declaredMonth(usd, settings).usd) };
}

/** The same of an endpoint's stack. */
export function endpointOutputs({
  settings,
  plan,
  lease,
  endpoint,
  notebook,
  weightsUri,
}: EndpointDeployment) {
  return {
    plan,
    endpointName: endpoint.endpointName,
    endpointArn: endpoint.endpointArn,
    endpointState: endpoint.state,
    endpointConfig: endpoint.configName,
    ...(endpoint.componentName === undefined ? {} : { inferenceComponent: endpoint.componentName }),
    ...(endpoint.served.length === 1 ? {} : { served: endpoint.served }),
    ...(endpoint.asyncUri === undefined ? {} : { asyncUri: endpoint.asyncUri }),
    ...(endpoint.capturesUri === undefined ? {} : { capturesUri: endpoint.capturesUri }),
    ...(notebook === undefined ? {} : { notebookName: notebook.notebookName }),
    instanceType: endpoint.instanceType,
    startedAt: lease.startedAt,
    expiresAt: lease.expiresAt,
    // What was taken in place of the plan's type has a price of its own.
    hourlyUsd: endpoint.instanceType.apply((type) => hourlyUsdOn(plan.endpoint, type)),
    monthlyUsd: declaredMonth(plan.hourlyUsd, settings).usd,
    owner: settings.owner,
    weightsUri,
    catalogueVersion: plan.catalogueVersion,
  };
}

/** The same of the stack of a machine that is there already; it has no end, and no price. */
export function existingHostOutputs(deployment: ExistingHostDeployment) {
  const { settings, plan, lease, machine, login, through, server, token, weightsUri } = deployment;
  return {
    plan,
    machineId: machine.machineId,
    address: login.host,
    sshPort: login.port,
    user: login.user,
    hostKey: settings.hostKey,
    ...(through === undefined ? {} : { sshThrough: through }),
    url: server.url,
    apiToken: token,
    certificate: server.certificate,
    ...(settings.promptTemplate === undefined ? {} : { promptTemplate: settings.promptTemplate }),
    startedAt: lease.startedAt,
    expiresAt: "",
    hourlyUsd: 0,
    owner: settings.owner,
    weightsUri,
    catalogueVersion: plan.catalogueVersion,
  };
}
