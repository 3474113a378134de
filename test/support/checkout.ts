import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

const repository = resolve(import.meta.dirname, "../..");
/** What is this checkout's own, and no part of the project. */
const ownNames = [".git", ".berth", ".pulumi", "node_modules", "coverage"];

/** A copy of the project in a folder of its own, with stack files, records and an emulated cloud of its own. */
export interface Checkout {
  readonly root: string;
  remove(): Promise<void>;
}

/** Copies the project beside the packages of this one; stack files that this checkout has stay behind. */
export async function copyCheckout(): Promise<Checkout> {
  const root = await mkdtemp(join(tmpdir(), "berth-checkout-"));
  const wanted = (path: string): boolean => {
    const name = basename(path);
    const own = resolve(path, "..") === repository && ownNames.includes(name);
    // Other tests make and remove theirs meanwhile: one that is listed may be gone when it is copied.
    return !own && (!name.startsWith("Pulumi.") || /^Pulumi\.([a-z]+\.)?yaml$/.test(name));
  };
  await cp(repository, root, { recursive: true, filter: wanted });
  await symlink(join(repository, "node_modules"), join(root, "node_modules"));
  return { root, remove: () => rm(root, { recursive: true, force: true }) };
}
