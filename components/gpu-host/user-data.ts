import { readFileSync } from "node:fs";
import { stringify } from "yaml";

/** When a host that nobody uses ends itself, and how its use is seen. */
export interface IdleStop {
  /** Minutes without use, one look a minute. */
  readonly idleMinutes: number;
  /** Port of the model server on the host. */
  readonly serverPort: number;
  readonly sshPort: number;
}

/** What the first boot is told. */
export interface UserData {
  /** The throw-away host key: OpenSSH private key and its public line. */
  readonly hostKey: { readonly privateKey: string; readonly publicKey: string };
  /** OpenSSH public line that may log in. */
  readonly authorizedKey: string;
  /** RFC 3339 in UTC; empty means no end. */
  readonly expiresAt: string;
  /** @default a host is not ended for being idle */
  readonly idle?: IdleStop | undefined;
}

/** Where a host keeps its own deadline, in seconds since 1970; writing it anew moves the end. */
const deadlineFile = "/etc/berth/deadline";

/**
 * Seconds that a host waits beyond the deadline before it ends itself, so that the schedule, which also leaves a record of
 * what it did, comes first.
 */
const graceSeconds = 300;

const checkScript = `#!/bin/sh
# Ends this host when its deadline is over; the instance is set to terminate when it shuts down.
[ ! -e /etc/berth/protected ] || exit 0
deadline=$(cat ${deadlineFile} 2>/dev/null) || exit 0
case $deadline in '' | *[!0-9]*) exit 0 ;; esac
[ "$(date +%s)" -lt "$((deadline + ${graceSeconds}))" ] || shutdown -h now "The lease is over"
`;

const idleScript = readFileSync(new URL("idle-check.sh", import.meta.url), "utf8");

/** A unit that runs a script, and the timer that starts it every minute. */
function everyMinute(name: string, description: string) {
  const service = `[Unit]
Description=${description}
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/${name}
`;
  const timer = `[Unit]
Description=${description}, every minute
[Timer]
OnBootSec=1min
OnUnitActiveSec=1min
AccuracySec=10s
[Install]
WantedBy=timers.target
`;
  const folder = "/etc/systemd/system";
  return [
    { path: `${folder}/${name}.service`, content: service },
    { path: `${folder}/${name}.timer`, content: timer },
  ];
}

function enable(timers: readonly string[]): string {
  const names = timers.map((name) => `${name}.timer`).join(" ");
  // Machines without systemd have the schedule only.
  return `if command -v systemctl >/dev/null; then systemctl daemon-reload && systemctl enable --now ${names}; fi`;
}

function withNewline(text: string): string {
  return `${text.trimEnd()}\n`;
}

/** The timer is there without a deadline too: one may be set later. */
function deadlineFiles(expiresAt: string) {
  const seconds = Math.floor(Date.parse(expiresAt) / 1000);
  const deadline = { path: deadlineFile, permissions: "0644", content: `${seconds}\n` };
  return [
    ...(expiresAt === "" ? [] : [deadline]),
    { path: "/usr/local/sbin/berth-deadline", permissions: "0755", content: checkScript },
    ...everyMinute("berth-deadline", "Shut down when the lease is over"),
  ];
}

function idleFiles({ idleMinutes, serverPort, sshPort }: IdleStop) {
  const settings = `IDLE_MINUTES=${idleMinutes}\nSERVER_PORT=${serverPort}\nSSH_PORT=${sshPort}\n`;
  return [
    { path: "/etc/berth/idle", permissions: "0644", content: settings },
    { path: "/usr/local/sbin/berth-idle", permissions: "0755", content: idleScript },
    ...everyMinute("berth-idle", "Shut down when nobody uses the host"),
  ];
}

/**
 * The cloud-config of a host: the seeded host key, one key that may log in, no passwords, and a timer of its own that ends
 * it at the deadline even when nothing outside does. Pure; a secret, since it holds a private key.
 */
export function renderUserData({ hostKey, authorizedKey, expiresAt, idle }: UserData): string {
  const config = {
    disable_root: true,
    ssh_pwauth: false,
    ssh_deletekeys: true,
    ssh_keys: {
      ed25519_private: withNewline(hostKey.privateKey),
      // Without its newline, cloud-init glues the key to the line after it on the console.
      ed25519_public: withNewline(hostKey.publicKey),
    },
    ssh_authorized_keys: [authorizedKey.trim()],
    write_files: [...deadlineFiles(expiresAt), ...(idle === undefined ? [] : idleFiles(idle))],
    runcmd: [enable(["berth-deadline", ...(idle === undefined ? [] : ["berth-idle"])])],
  };
  return `#cloud-config\n${stringify(config, { lineWidth: 0 })}`;
}
