import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";

interface Answer {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** Whether the browser is installed. */
export function hasChromium(): boolean {
  return spawnSync("chromium", ["--version"]).status === 0;
}

/**
 * A page in a real Chromium without a window, driven by the DevTools protocol over a pipe, so that no port is open:
 * https://chromedevtools.github.io/devtools-protocol/
 */
export class ChromiumPage {
  readonly #folder = mkdtempSync(join(tmpdir(), "berth-chromium-"));
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #session = "";
  #last = 0;

  private constructor() {
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"];
    const profile = `--user-data-dir=${join(this.#folder, "profile")}`;
    this.#child = spawn("chromium", [...flags, "--remote-debugging-pipe", profile], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      detached: true,
      // It is killed, so that what it puts there stays.
      env: { ...process.env, TMPDIR: this.#folder },
    });
    let rest = "";
    (this.#child.stdio[4] as Readable).on("data", (chunk: Buffer) => {
      const messages = (rest + chunk.toString()).split("\0");
      rest = messages.pop() ?? "";
      for (const text of messages) {
        const answer = JSON.parse(text) as Answer;
        if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
      }
    });
  }

  static async open(): Promise<ChromiumPage> {
    const page = new ChromiumPage();
    const { targetId } = await page.call("Target.createTarget", { url: "about:blank" });
    const attached = await page.call("Target.attachToTarget", { targetId, flatten: true });
    page.#session = String(attached["sessionId"]);
    await page.call("Page.enable");
    // As if its window were the one in front.
    await page.call("Emulation.setFocusEmulationEnabled", { enabled: true });
    return page;
  }

  /** One command of the protocol. @throws Error with the browser's words */
  async call(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    const id = (this.#last += 1);
    const session = this.#session === "" ? {} : { sessionId: this.#session };
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      const command = { id, method, params, ...session };
      (this.#child.stdio[3] as Writable).write(`${JSON.stringify(command)}\0`);
    });
    this.#waiting.delete(id);
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result ?? {};
  }

  async goTo(url: string): Promise<void> {
    await this.#leave(() => this.call("Page.navigate", { url }));
  }

  async reload(): Promise<void> {
    await this.#leave(() => this.call("Page.reload"));
  }

  /** Has the next document loaded: the one before answers until it is there. */
  async #leave(go: () => Promise<unknown>): Promise<void> {
    await this.value("window.isLeft = true");
    await go();
    await this.until("window.isLeft === undefined && document.readyState === 'complete'");
  }

  /** The value of an expression, in the page. */
  async value<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.call("Runtime.evaluate", {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })) as { result: { value?: T }; exceptionDetails?: { text: string } };
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${exceptionDetails.text}`);
    return result.value as T;
  }

  /** Waits until an expression is true. @throws Error when it is not within a minute */
  async until(expression: string): Promise<void> {
    const end = Date.now() + 60_000;
    while (!(await this.value<boolean>(`Boolean(${expression})`).catch(() => false))) {
      if (Date.now() > end) throw new Error(`it does not come true: ${expression}`);
      await pause(50);
    }
  }

  async press(key: "Tab" | "Enter"): Promise<void> {
    const code = key === "Tab" ? 9 : 13;
    const text = key === "Enter" ? { text: "\r" } : {};
    const event = { key, code: key, windowsVirtualKeyCode: code, ...text };
    await this.call("Input.dispatchKeyEvent", { type: "keyDown", ...event });
    await this.call("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  async size(width: number, height: number): Promise<void> {
    const params = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.call("Emulation.setDeviceMetricsOverride", params);
  }

  async media(features: Readonly<Record<string, string>>): Promise<void> {
    const list = Object.entries(features).map(([name, value]) => ({ name, value }));
    await this.call("Emulation.setEmulatedMedia", { features: list });
  }

  /** A picture of the whole page, PNG. */
  async picture(): Promise<Buffer> {
    const params = { format: "png", captureBeyondViewport: true };
    const { data } = await this.call("Page.captureScreenshot", params);
    return Buffer.from(String(data), "base64");
  }

  async close(): Promise<void> {
    const gone = once(this.#child, "exit");
    try {
      process.kill(-(this.#child.pid ?? 0), "SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await gone;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
