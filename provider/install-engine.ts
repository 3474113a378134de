import type { HostFacts } from "../components/bootstrap/facts.ts";
import type { Host } from "./adapters/ssh.ts";
import { llamaServerBundle } from "./engines/llama-server/bundle.ts";
import { ensureNode, sendArchive } from "./ensure-node.ts";
import type { StepOutcome } from "./plan-run.ts";

/** Puts the llama.cpp server and the Node that it runs on in place on the host. */
export async function installLlamaServer(
  host: Host,
  folder: string,
  facts: HostFacts,
): Promise<StepOutcome> {
  const node = await ensureNode(host, folder);
  const platform = facts.architecture === "aarch64" ? "linux-arm64" : "linux-x64";
  const bundle = await llamaServerBundle(platform);
  const target = `${folder}/engines/llama-server`;
  const sent = await sendArchive(host, { kind: "folder", ...bundle }, target);
  const own = node.sent ? "sent from this machine" : "the host's own";
  return { changed: node.sent || sent, note: `Node ${node.version} (${own}), llama.cpp server` };
}
