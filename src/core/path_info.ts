/** What the kernel knows of the way to a peer, from one TCP connection. */
export interface PathInfo {
  /** null: nothing has been measured. */
  readonly rttMs: number | null;
  /** Segments that were sent again, in the whole life of the connection. */
  readonly retransmits: number;
}
