/** The ports, both included, that connect(2) takes source ports from: ip(7). */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}
