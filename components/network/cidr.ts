import { isIPv4, isIPv6 } from "node:net";
import { UserError } from "../user-error.ts";

/** A block of addresses that may reach a host, of one family. */
export interface Cidr {
  readonly family: 4 | 6;
  readonly text: string;
}

/** The widest blocks that count as "an own network": an IPv4 /16 and an IPv6 /32, both a provider's allocation. */
const widest = { 4: 16, 6: 32 } as const;

function familyOf(address: string): 4 | 6 | undefined {
  if (isIPv4(address)) return 4;
  return isIPv6(address) ? 6 : undefined;
}

/** What is wrong with a block that is to reach a host over SSH; undefined when nothing is. */
export function cidrProblem(text: string): string | undefined {
  const [address = "", bits = "", ...rest] = text.split("/");
  const family = familyOf(address);
  if (family === undefined || rest.length > 0 || !/^\d{1,3}$/.test(bits)) {
    return `"${text}" is not a block of addresses such as 203.0.113.7/32`;
  }
  const length = Number(bits);
  if (length > (family === 4 ? 32 : 128)) return `"${text}" has too long a prefix`;
  if (length === 0) return `"${text}" is the whole world; give your own address with /32`;
  if (length < widest[family]) {
    return `"${text}" is too wide; /${widest[family]} is the widest that is taken`;
  }
  return undefined;
}

/**
 * The block as AWS takes it.
 *
 * @throws UserError when it is no block, or one that is too wide
 */
export function parseCidr(text: string): Cidr {
  const problem = cidrProblem(text);
  if (problem !== undefined) {
    throw new UserError(`SSH cannot be opened to ${problem}.`, {
      hint: "Set berth:sshCidr to the network you connect from, your address with /32 at best.",
    });
  }
  return { family: text.includes(":") ? 6 : 4, text };
}
