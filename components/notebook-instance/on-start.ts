import { readFileSync } from "node:fs";

/** Longest script of a lifecycle configuration, characters of its base64 (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_NotebookInstanceLifecycleHook.html). */
const longestScript = 16_384;

/** Where a notebook instance keeps what outlives a stop; its user is `ec2-user`. */
const workFolder = "/home/ec2-user/SageMaker";

/** What is done at each start of a notebook instance. */
export interface OnStart {
  readonly notebookName: string;
  readonly region: string;
  readonly idleMinutes: number;
  /** The first notebook, in Jupyter's format; it is written where it is missing. */
  readonly notebook: string;
}

function heredoc(path: string, text: string): string {
  return `cat >${path} <<'BERTH_FILE'\n${text.trimEnd()}\nBERTH_FILE`;
}

/**
 * The script that a notebook instance runs as root at each start: it writes the first notebook, and stops the instance when
 * nobody uses it. A timer of systemd looks every five minutes, since Amazon Linux 2023 has no cron.
 *
 * @throws Error when it is longer than SageMaker takes
 */
export function onStartScript({ notebookName, region, idleMinutes, notebook }: OnStart): string {
  const idleStop = readFileSync(new URL("idle-stop.py", import.meta.url), "utf8");
  const name = "ask-the-model.ipynb";
  const first = `${workFolder}/${name}`;
  const script = [
    "#!/bin/bash",
    "set -euo pipefail",
    "mkdir -p /opt/berth",
    "rm -f /run/berth-idle-since",
    heredoc("/opt/berth/idle-stop.py", idleStop),
    heredoc(`/opt/berth/${name}`, notebook),
    // By the user whose folder it is: root would follow a link that was put there, and give away what it leads to.
    `[ -e ${first} ] || runuser -u ec2-user -- cp /opt/berth/${name} ${first} || echo "${name} could not be written" >&2`,
    "systemctl stop berth-idle.timer 2>/dev/null || true",
    `systemd-run --unit=berth-idle --on-active=300 --on-unit-active=300 /usr/bin/python3 /opt/berth/idle-stop.py ${notebookName} ${region} ${idleMinutes}`,
    "",
  ].join("\n");
  const size = Buffer.from(script).toString("base64").length;
  if (size <= longestScript) return script;
  throw new Error(
    `The script of the notebook instance has ${size} characters, and SageMaker takes ${longestScript}.`,
  );
}
