/**
 * What is known of a backend's health, for those who must decide how far somebody is believed who
 * says that it is gone.
 */
export type Proof =
  /** Its probes pass, and it gets sessions, or would if it were not ejected or had a place. */
  | 'serves'
  /** Well, and it gets none: another role, drained, no weight. Or down, and used in panic. */
  | 'answers'
  | 'down'
  /** No verdict yet. */
  | 'unproven'
  /** Nothing probes it: nothing is known against it. */
  | 'unprobed';
