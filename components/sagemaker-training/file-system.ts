/** A file system of the account that every container of a job mounts. */
export interface FileSystem {
  readonly type: "FSxLustre" | "EFS";
  readonly id: string;
  /** In it; of FSx for Lustre it begins with the file system's mount name. */
  readonly path: string;
}

const types = { fsx: "FSxLustre", efs: "EFS" } as const;

/** What a person writes for one. */
export const fileSystemExample = "fsx:fs-0123456789abcdef0:/mount/runs or efs:fs-0123abcd:/runs";

/**
 * The file system that a text such as `fsx:fs-0123456789abcdef0:/mount/runs` names; undefined when it names none.
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_FileSystemDataSource.html
 */
export function parseFileSystem(text: string): FileSystem | undefined {
  const found = /^(fsx|efs):(fs-[0-9a-f]{8,40}):(\/[\w./-]{0,1000})$/.exec(text);
  if (found === null) return undefined;
  const [, kind = "", id = "", path = ""] = found;
  return { type: types[kind as keyof typeof types], id, path };
}
