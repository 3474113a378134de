/** One request of a load test. */
export interface LoadRequest {
  readonly prompt: string;
  /** Tokens of the answer at most. */
  readonly answerTokens: number;
}

/** What a load test is sent to. */
export interface LoadTarget {
  /**
   * Sends a request and hands on each piece of the stream as it comes.
   *
   * @throws RequestFailure; what `heard` throws ends the request as well
   */
  send(
    request: LoadRequest,
    heard: (piece: Uint8Array) => void,
    signal: AbortSignal,
  ): Promise<void>;
  close(): void;
}
