import type { Host } from "./adapters/ssh.ts";
import { remoteScript } from "./remote/scripts.ts";

const certificateScript = remoteScript("tls-certificate.sh");

/** Certificate and key of somebody's own, PEM. */
export interface GivenCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** How the server's TLS comes about. */
export type TlsWish = "own" | GivenCertificate;

/** Where a server's secrets lie on its host, each readable by the login user alone. */
export interface ServerSecrets {
  readonly tokenFile?: string | undefined;
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  /** What clients pin, PEM. */
  readonly certificate?: string | undefined;
}

/** What a server is to keep to itself. */
export interface SecretWishes {
  readonly token?: string | undefined;
  readonly tls?: TlsWish | undefined;
}

/**
 * Puts a server's token and certificate on its host, over standard input; nothing of either is in an argument or a log. The
 * token becomes the server's own when the server is started.
 */
export async function putServerSecrets(
  host: Host,
  folder: string,
  { token, tls }: SecretWishes,
): Promise<ServerSecrets> {
  if (token !== undefined) await host.put(`${token}\n`, `${folder}/token.new`, "600");
  const tokenFile = token === undefined ? undefined : `${folder}/token`;
  if (tls === undefined) return { tokenFile };
  const files = {
    certificateFile: `${folder}/tls-certificate.pem`,
    keyFile: `${folder}/tls-key.pem`,
  };
  if (tls === "own") {
    const certificate = await host.output(certificateScript, [folder, host.target.host]);
    return { tokenFile, tls: files, certificate };
  }
  await host.put(tls.key, files.keyFile, "600");
  await host.put(tls.certificate, files.certificateFile, "600");
  return { tokenFile, tls: files, certificate: tls.certificate };
}
