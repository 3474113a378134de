import { UserError } from "../components/user-error.ts";
import type { Settings } from "./settings.ts";

/**
 * Holds a network of a cluster where there is one host.
 *
 * @throws UserError saying what is missing
 */
export function checkHosts(settings: Settings): void {
  if (settings.target !== "ec2") return;
  const { hosts, clusterNetwork = false } = settings;
  if (!clusterNetwork || hosts > 1) return;
  throw new UserError("berth:clusterNetwork joins several hosts, and there is one.", {
    hint: "Set berth:hosts to two or more, or leave berth:clusterNetwork out.",
  });
}
