/** How one kind of thing is listed: the ids of those that a fresh account does not have. */
export interface Question {
  readonly service: string;
  readonly kind: string;
  /** Asked once for the account, not once a region. */
  readonly global?: boolean;
  readonly ask: (settings: ClientSettings) => Promise<readonly (string | undefined)[]>;
}

/** Settings of an SDK client that talks to the cloud. */
export interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { accessKeyId: string; secretAccessKey: string };
  readonly maxAttempts: number;
}
