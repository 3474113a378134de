import * as pulumi from "@pulumi/pulumi";
import { hourlyUsdOn } from "../components/sagemaker-endpoint/instance-pools.ts";
import type { ExistingHostDeployment } from "./existing-host-stack.ts";
import { declaredMonth } from "./declared-month.ts";
import type { GpuHostDeployment } from "./gpu-host-stack.ts";
import type { EndpointDeployment } from "./sagemaker-stack.ts";

/** What a stack tells: read by `berth status`, `pulumi stack output` and other stacks. */
export function stackOutputs(deployment: GpuHostDeployment) {
  const { settings, plan, lease, host, hostKey, through, server, token, weightsUri } = deployment;
  const { checkpointsUri } = deployment;
  return {
    plan,
    instanceId: host.instanceId,
    instanceType: host.launched.apply(({ instanceType }) => instanceType),
    /** The rung that EC2 gave, and where; what it refused before that. */
    launched: host.launched,
    refusals: host.refusals,
    address: host.address,
    sshPort: settings.sshPort,
    user: host.user,
    /** The key to pin when connecting: the host's own since the first contact. */
    hostKey,
    ...(through === undefined ? {} : { sshThrough: through }),
    /** On the host's loopback; reach it through SSH. */
    url: server.url,
    apiToken: token,
    certificate: server.certificate,
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

/** A preview says the price of the first rung, an `up` that of the rung that EC2 gave. */
function priced({ host, plan, settings }: GpuHostDeployment) {
  const hourlyUsd = pulumi.runtime.isDryRun()
    ? pulumi.output(plan.hourlyUsd)
    : host.launched.apply((rung) => rung.totalHourlyUsd);
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
