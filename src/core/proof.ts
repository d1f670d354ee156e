/**
 * What is known of a backend's health: it decides how far a source is believed that does not name
 * the backend any more.
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
