import { declaredMonth } from "./declared-month.ts";
import type { GpuHostDeployment } from "./gpu-host-stack.ts";
import type { EndpointDeployment } from "./sagemaker-stack.ts";

/** What a stack tells: read by `berth status`, `pulumi stack output` and other stacks. */
export function stackOutputs(deployment: GpuHostDeployment) {
  const { settings, plan, lease, host, hostKey, server, weightsUri } = deployment;
  return {
    plan,
    instanceId: host.instanceId,
    instanceType: host.instanceType,
    address: host.address,
    sshPort: settings.sshPort,
    user: host.user,
    /** The key to pin when connecting: the host's own since the first contact. */
    hostKey,
    /** On the host's loopback; reach it through SSH. */
    url: server.url,
    startedAt: lease.startedAt,
    expiresAt: lease.expiresAt,
    hourlyUsd: plan.hourlyUsd,
    monthlyUsd: declaredMonth(plan.hourlyUsd, settings).usd,
    owner: settings.owner,
    weightsUri,
    catalogueVersion: plan.catalogueVersion,
  };
}

/** The same of an endpoint's stack. */
export function endpointOutputs({
  settings,
  plan,
  lease,
  endpoint,
  weightsUri,
}: EndpointDeployment) {
  return {
    plan,
    endpointName: endpoint.endpointName,
    endpointArn: endpoint.endpointArn,
    ...(endpoint.asyncUri === undefined ? {} : { asyncUri: endpoint.asyncUri }),
    ...(endpoint.capturesUri === undefined ? {} : { capturesUri: endpoint.capturesUri }),
    instanceType: plan.ladder[0].instanceType,
    startedAt: lease.startedAt,
    expiresAt: lease.expiresAt,
    hourlyUsd: plan.hourlyUsd,
    monthlyUsd: declaredMonth(plan.hourlyUsd, settings).usd,
    owner: settings.owner,
    weightsUri,
    catalogueVersion: plan.catalogueVersion,
  };
}
