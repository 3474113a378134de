/** The folder on a host that holds all of berth's data. */
export const hostDataFolder = "/opt/berth";

/** Where an adapter's files are on a host: beside the models, since these lie on its fastest disk. */
export function adapterFolderOf(name: string): string {
  return `${hostDataFolder}/weights/adapters/${name}`;
}

/** Where a model's weights are on a host. */
export function weightsFolderOf(modelId: string): string {
  return `${hostDataFolder}/weights/${modelId}`;
}
