import { stringify } from "yaml";

/** What the first boot is told. */
export interface UserData {
  /** The throw-away host key: OpenSSH private key and its public line. */
  readonly hostKey: { readonly privateKey: string; readonly publicKey: string };
  /** OpenSSH public line that may log in. */
  readonly authorizedKey: string;
  /** RFC 3339 in UTC; empty means no end. */
  readonly expiresAt: string;
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
deadline=$(cat ${deadlineFile} 2>/dev/null) || exit 0
case $deadline in '' | *[!0-9]*) exit 0 ;; esac
[ "$(date +%s)" -lt "$((deadline + ${graceSeconds}))" ] || shutdown -h now "The lease is over"
`;

const service = `[Unit]
Description=Shut down when the lease is over
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/berth-deadline
`;

const timer = `[Unit]
Description=Look every minute whether the lease is over
[Timer]
OnBootSec=1min
OnUnitActiveSec=1min
AccuracySec=10s
[Install]
WantedBy=timers.target
`;

function withNewline(text: string): string {
  return `${text.trimEnd()}\n`;
}

/** The timer is there without a deadline too: one may be set later. */
function deadlineParts(expiresAt: string) {
  const seconds = Math.floor(Date.parse(expiresAt) / 1000);
  const deadline = { path: deadlineFile, permissions: "0644", content: `${seconds}\n` };
  return {
    write_files: [
      ...(expiresAt === "" ? [] : [deadline]),
      { path: "/usr/local/sbin/berth-deadline", permissions: "0755", content: checkScript },
      { path: "/etc/systemd/system/berth-deadline.service", content: service },
      { path: "/etc/systemd/system/berth-deadline.timer", content: timer },
    ],
    runcmd: [
      // Machines without systemd have the schedule only.
      "if command -v systemctl >/dev/null; then systemctl daemon-reload && systemctl enable --now berth-deadline.timer; fi",
    ],
  };
}

/**
 * The cloud-config of a host: the seeded host key, one key that may log in, no passwords, and a timer of its own that ends
 * it at the deadline even when nothing outside does. Pure; a secret, since it holds a private key.
 */
export function renderUserData({ hostKey, authorizedKey, expiresAt }: UserData): string {
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
    ...deadlineParts(expiresAt),
  };
  return `#cloud-config\n${stringify(config, { lineWidth: 0 })}`;
}
