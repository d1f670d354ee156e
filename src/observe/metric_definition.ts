/** What a metric is, for the catalogue. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One sentence, as Prometheus shows it. */
  readonly help: string;
  /** Never a client's address: the number of series is bounded by the configuration. */
  readonly labels: readonly string[];
  /** Further ones, with `[admin] backend_histograms = true`. */
  readonly labelsOnDemand?: readonly string[];
  /** The values that a label can have, where the list is closed. */
  readonly values?: readonly string[];
  /** Upper bounds of a histogram, in seconds or in what its name says. */
  readonly bounds?: readonly number[];
}

/** The labels of what is counted of one backend. */
export interface BackendLabels {
  readonly pool: string;
  readonly backend: string;
}
