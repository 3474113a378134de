/** The folder on a host that holds all of berth's data. */
export const hostDataFolder = "/opt/berth";

/** Where a model's weights are on a host. */
export function weightsFolderOf(modelId: string): string {
  return `${hostDataFolder}/weights/${modelId}`;
}
