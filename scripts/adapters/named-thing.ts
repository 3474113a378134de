import type { ClientSettings, Remnant } from "./account-scope.ts";

/** One thing that a state knows, by the name that AWS has for it. */
export interface NamedThing {
  /** Pulumi's token of its type. */
  readonly type: string;
  readonly id: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** Whether one thing is still there; an error that says "not found" means that it is not. */
export type Asks = (settings: ClientSettings, thing: NamedThing) => Promise<readonly Remnant[]>;

interface Disposable {
  destroy(): void;
}

/** One that is asked for and answers is there, unless `ended` says that it has ended. */
export function one<Client extends Disposable, Answer>(question: {
  readonly service: string;
  readonly kind: string;
  readonly client: (settings: ClientSettings) => Client;
  readonly ask: (client: Client, thing: NamedThing) => Promise<Answer>;
  /** @default every answer */
  readonly there?: (answer: Answer, thing: NamedThing) => boolean;
  /** As the questions by tag say it. @default the state's id */
  readonly id?: (thing: NamedThing) => string;
}): Asks {
  const { service, kind, there = () => true, id = (thing: NamedThing) => thing.id } = question;
  return async (settings, thing) => {
    const client = question.client(settings);
    try {
      const answer = await question.ask(client, thing);
      return there(answer, thing) ? [{ service, kind, id: id(thing) }] : [];
    } finally {
      client.destroy();
    }
  };
}
