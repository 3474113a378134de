import { bakedFor, bakeKey } from "../../components/gpu-host/baked-image.ts";
import { baseImageParameter } from "../../components/gpu-host/base-image.ts";
import { hostDataFolder } from "../../components/host-folders.ts";
import { snapshotUsd } from "../../components/teardown/image-audit.ts";
import { UserError } from "../../components/user-error.ts";
import { hostOf, onHost } from "../../provider/connection.ts";
import { remoteScript } from "../../provider/remote/scripts.ts";
import { accountOf } from "../adapters/account.ts";
import type { ClientSettings } from "../adapters/account-scope.ts";
import {
  createImage,
  imageOfInstance,
  listBakedImages,
  removeImage,
  untilAvailable,
} from "../adapters/baked-images.ts";
import { cloudOf } from "../adapters/local-cloud.ts";
import { regionOfStack } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { confirmDown } from "../teardown/confirm-down.ts";
import { findDeployment, planDeployment, type StackOptions } from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import { sshTarget } from "../stack/ssh-target.ts";
import { readOutputs, type BerthOutputs } from "../stack/stack-outputs.ts";
import { runDown } from "./down.ts";
import { runUp } from "./up.ts";

/** Flags of `berth bake`. */
export interface BakeOptions extends StackOptions {
  readonly list?: boolean;
  /** Id of an image to remove, with its snapshots. */
  readonly remove?: string;
  /** Do not ask. */
  readonly yes?: boolean;
}

async function list(client: ClientSettings, terminal: Terminal): Promise<number> {
  const images = await listBakedImages(client);
  terminal.say(
    ...images.map(({ id, name, state, createdAt, gib, owner }) => {
      const cost = `at most $${(gib * snapshotUsd).toFixed(2)} a month`;
      return `${id}  ${name}  ${state}  of ${createdAt} for ${owner}: ${gib} GiB, ${cost}`;
    }),
  );
  if (images.length === 0) terminal.say("No image of berth's is in this account and region.");
  terminal.result({ images });
  return exitCode.ok;
}

async function remove(client: ClientSettings, id: string, terminal: Terminal): Promise<number> {
  const image = await removeImage(client, id);
  terminal.say(`removed    ${id} and ${image.snapshotIds.length} snapshots`);
  terminal.result({ removed: image });
  return exitCode.ok;
}

async function outputsOf(options: StackOptions): Promise<BerthOutputs> {
  const opened = await findDeployment(options, cloudOf(options.env));
  return opened === undefined ? {} : readOutputs(await opened.stack.outputs());
}

/** The stack's host, up and proved: an image is made of what has answered. */
async function runningHost(options: BakeOptions, terminal: Terminal): Promise<BerthOutputs> {
  const before = await outputsOf(options);
  if (before.instanceId !== undefined && before.url !== undefined) return before;
  await runUp(options, terminal);
  return outputsOf(options);
}

async function clean(outputs: BerthOutputs): Promise<void> {
  const { address, ...login } = sshTarget(outputs);
  const host = hostOf({ host: address, ...login }, { connectMs: 30_000 });
  const folder = `"\${BERTH_ROOT:-}"${hostDataFolder}`;
  await onHost(host, async () => {
    const path = (await host.output(`printf %s ${folder}`)).trim();
    await host.output(remoteScript("clean-image.sh"), [path], 300_000);
  });
}

/**
 * `berth bake`: an image of a stack's host, made ready by the same steps and proved by its server, which later `up`s of the same
 * plan start from. The host is emptied of what is its own, and goes.
 */
export async function runBake(options: BakeOptions, terminal: Terminal): Promise<number> {
  const { env } = options;
  const cloud = cloudOf(env);
  const { client } = accountOf(env, regionOfStack(env), cloud);
  if (options.list === true) return list(client, terminal);
  if (options.remove !== undefined) return remove(client, options.remove, terminal);
  const { settings, plan } = planDeployment(options, false);
  if (settings.target !== "ec2") {
    throw new UserError(`"${env}" has no EC2 host to make an image of.`, {
      hint: "Bake with a stack whose berth:target is ec2.",
    });
  }
  terminal.say(`The host of "${env}" becomes an image, and the stack is taken down.`);
  await confirmDown(options, "bake");
  const outputs = await runningHost(options, terminal);
  const { instanceId = "" } = outputs;
  const base = settings.imageId ?? baseImageParameter;
  const key = bakeKey(plan, base);
  // One that was cut off behind the cleaning cannot be logged in to any more: its image is gone on with.
  let id = (await imageOfInstance(client, instanceId))?.id;
  if (id === undefined) {
    // SSH looks into the environment.
    Object.assign(process.env, cloud?.environment ?? {});
    terminal.say(`cleaning   ${instanceId}: keys, logs, weights and ids of its own`);
    await clean(outputs);
    const name = `berth-${plan.engine}-${key.slice(0, 8)}-${instanceId}`;
    const { owner, tags } = settings;
    const wish = { instanceId, name, owner, tags, key, bakedFor: bakedFor(plan, base) };
    id = await createImage(client, wish);
  }
  terminal.say(`image      ${id} is being made`);
  const image = await untilAvailable(client, id, (line) => {
    terminal.say(line);
  });
  terminal.say(`image      ${id} is there: ${image.gib} GiB; later ups of this plan start from it`);
  return runDown({ ...options, yes: true }, terminal);
}
