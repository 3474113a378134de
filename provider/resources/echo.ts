import type { ResourceType } from "../plugin/resource-type.ts";

/**
 * A resource that only keeps what it was given: its outputs are its inputs, known already in a preview. Together with
 * `ignoreChanges` it makes a value once and keeps it in the state.
 */
export function echo(id: string, type: Pick<ResourceType, "inputs" | "secrets">): ResourceType {
  return {
    ...type,
    replaceOn: [],
    computed: [],
    create: (inputs) => Promise.resolve({ id, outputs: inputs }),
    read: (_id, state) => Promise.resolve(state),
    update: (_id, _olds, news) => Promise.resolve(news),
    delete: () => Promise.resolve(),
  };
}
