import * as pulumi from "@pulumi/pulumi";
import { parseHostAddress } from "../components/host-address.ts";
import type { HostThrough } from "../components/host-connection.ts";
import type { HostSettings } from "./settings.ts";

/** What is on the way to a machine, as the settings say it; `%i` stands for an instance's id. */
export function throughOf({
  sshThrough,
  sshThroughHostKey: hostKey = "",
}: Pick<HostSettings, "sshThrough" | "sshThroughHostKey">): HostThrough | undefined {
  if (sshThrough === undefined) return undefined;
  const bastion = parseHostAddress(sshThrough);
  if (bastion !== undefined) return { ...bastion, hostKey };
  // https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-getting-started-enable-ssh-connections.html
  const ssm = ["aws", "ssm", "start-session", "--target", "%i"];
  const document = ["--document-name", "AWS-StartSSHSession", "--parameters", "portNumber=%p"];
  // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/connect-using-eice.html
  const tunnel = ["aws", "ec2-instance-connect", "open-tunnel", "--instance-id", "%i"];
  return {
    command: sshThrough === "ssm" ? [...ssm, ...document] : [...tunnel, "--remote-port", "%p"],
  };
}

/** The same with the id of an instance of a region in it. */
export function throughInstance(
  settings: HostSettings,
  instanceId: pulumi.Output<string>,
): pulumi.Output<HostThrough> | undefined {
  const through = throughOf(settings);
  if (through === undefined) return undefined;
  if (!("command" in through)) return pulumi.output(through);
  return instanceId.apply((id) => ({
    command: [
      ...through.command.map((word) => word.replace("%i", id)),
      ...["--region", settings.region],
    ],
  }));
}
