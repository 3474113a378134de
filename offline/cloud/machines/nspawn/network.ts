import { createHash, randomInt } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { run } from "./command.ts";

/** The machine's network namespace, and the one in which its metadata service listens. */
export const namespaces = { machine: "machine", metadata: "metadata" } as const;

/** Where EC2's metadata service is on every instance. */
export const metadataAddress = "169.254.169.254";

/** First two bytes of the private blocks that machines take their addresses from; the next one where one is in use. */
const blocks = ["10.213", "172.30", "192.168"] as const;

interface Link {
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[];
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

async function usedNetworks(): Promise<{ local: string; prefixlen: number }[]> {
  const links = JSON.parse(await run("ip", "-json", "-4", "address")) as Link[];
  return links.flatMap((link) =>
    link.addr_info.map(({ local, prefixlen }) => ({ local, prefixlen })),
  );
}

/** Whether a network of four addresses, starting at `base`, lies in none of the host's networks. */
function isFree(base: number, used: readonly { local: string; prefixlen: number }[]): boolean {
  return used.every(({ local, prefixlen }) => {
    const size = 2 ** (32 - Math.min(prefixlen, 30));
    return Math.floor(base / size) !== Math.floor(toNumber(local) / size);
  });
}

async function pickNetwork(): Promise<{ host: string; machine: string }> {
  const used = await usedNetworks();
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const block = blocks[Math.floor(attempt / 70)] ?? blocks[0];
    const prefix = `${block}.${randomInt(1, 255)}`;
    const last = randomInt(0, 64) * 4;
    if (isFree(toNumber(`${prefix}.${last}`), used))
      return { host: `${prefix}.${last + 1}`, machine: `${prefix}.${last + 2}` };
  }
  throw new Error("no free private network was found for the machine");
}

/** Gives the host's end of a link an address that no other machine took at the same moment. */
async function claimNetwork(link: string): Promise<string> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const { host, machine } = await pickNetwork();
    await run("ip", "address", "add", `${host}/30`, "dev", link);
    const same = (await usedNetworks()).filter(({ local }) => local === host);
    if (same.length === 1) return machine;
    await run("ip", "address", "delete", `${host}/30`, "dev", link);
  }
  throw new Error("no private network could be claimed for the machine");
}

/** Keeps what comes over a link from going any further than this host. */
async function closeLink(link: string): Promise<void> {
  await writeFile(`/proc/sys/net/ipv4/conf/${link}/forwarding`, "0");
  // A host without IPv6 has no such file, and nothing to switch off.
  await writeFile(`/proc/sys/net/ipv6/conf/${link}/disable_ipv6`, "1").catch(() => undefined);
}

/**
 * Makes the machine's network namespace with one link to the host and no route beyond it, and a second namespace that holds
 * {@link metadataAddress}, so that the machine's own ports stay free.
 *
 * @returns the machine's address, in a network of four addresses of its own
 */
export async function makeNetwork(name: string): Promise<string> {
  const { machine, metadata } = namespaces;
  await run("ip", "netns", "add", machine);
  await run("ip", "netns", "add", metadata);
  const link = `brt-${createHash("sha256").update(name).digest("hex").slice(0, 10)}`;
  await run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", machine);
  await closeLink(link);
  const address = await claimNetwork(link);
  await run("ip", "link", "set", link, "up");
  const inside = ["-n", machine];
  const peer = ["peer", "name", "eth0", "netns", metadata];
  await run("ip", ...inside, "link", "add", "imds0", "type", "veth", ...peer);
  await run("ip", ...inside, "address", "add", `${address}/30`, "dev", "eth0");
  await run("ip", ...inside, "address", "add", "169.254.169.253/30", "dev", "imds0");
  for (const each of ["lo", "eth0", "imds0"]) await run("ip", ...inside, "link", "set", each, "up");
  const behind = ["-n", metadata];
  await run("ip", ...behind, "address", "add", `${metadataAddress}/30`, "dev", "eth0");
  for (const each of ["lo", "eth0"]) await run("ip", ...behind, "link", "set", each, "up");
  return address;
}
