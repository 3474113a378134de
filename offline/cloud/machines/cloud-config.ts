import { parse } from "yaml";

/** The part of a `#cloud-config` document that machines act on. */
export interface CloudConfig {
  readonly hostPrivateKey: string | undefined;
  readonly authorizedKeys: readonly string[];
  readonly files: readonly {
    readonly path: string;
    readonly content: string;
    readonly mode: number;
  }[];
  /** Shell commands of every boot, in order. */
  readonly bootCommands: readonly string[];
  /** Shell commands of the first boot, in order. */
  readonly commands: readonly string[];
}

interface Document {
  readonly ssh_keys?: { readonly ed25519_private?: string };
  readonly ssh_authorized_keys?: readonly string[];
  readonly write_files?: readonly {
    readonly path: string;
    readonly content?: string;
    readonly permissions?: string;
  }[];
  readonly bootcmd?: readonly (string | readonly string[])[];
  readonly runcmd?: readonly (string | readonly string[])[];
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function commandText(command: string | readonly string[]): string {
  return typeof command === "string" ? command : command.map(quoted).join(" ");
}

/** Reads user data: a `#cloud-config` document, a `#!` script, or nothing. @throws Error when the YAML is broken */
export function readCloudConfig(userData: string): CloudConfig {
  if (userData.startsWith("#!")) {
    return {
      hostPrivateKey: undefined,
      authorizedKeys: [],
      files: [],
      bootCommands: [],
      commands: [userData],
    };
  }
  const document = ((userData.startsWith("#cloud-config") ? parse(userData) : null) ??
    {}) as Document;
  return {
    hostPrivateKey: document.ssh_keys?.ed25519_private,
    authorizedKeys: document.ssh_authorized_keys ?? [],
    files: (document.write_files ?? []).map(({ path, content = "", permissions = "0644" }) => ({
      path,
      content,
      mode: Number.parseInt(permissions, 8),
    })),
    bootCommands: (document.bootcmd ?? []).map(commandText),
    commands: (document.runcmd ?? []).map(commandText),
  };
}
