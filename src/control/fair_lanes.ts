/**
 * Which task gets the next of a few places, where some keep theirs for long: groups, and lanes in
 * each (for cancels: pools and their backends). A lane may take one more only while it has fewer
 * than are free beside as many as its group has. So one that keeps all that it gets leaves two
 * thirds, and beside many of them, one that had none has its turn when places come back: these are
 * the dynamic thresholds of shared-memory switches (Choudhury, Hahne: Dynamic Queue Length
 * Thresholds, IEEE/ACM Transactions on Networking 6(2), 1998) in two levels. Pure.
 */
interface Lane<Task> {
  readonly waiting: Task[];
  running: number;
}

interface Group<Task> {
  readonly lanes: Map<number, Lane<Task>>;
  running: number;
}

export class FairLanes<Task> {
  readonly #begin: (task: Task, giveBack: () => void) => void;
  /** In the order of turns, as the lanes of each are. */
  readonly #groups = new Map<string, Group<Task>>();
  #free: number;

  /** `begin` is called when a place is the task's, also from inside `add`. */
  constructor(places: number, begin: (task: Task, giveBack: () => void) => void) {
    this.#free = places;
    this.#begin = begin;
  }

  /** Places that are free, and groups that have one or wait: for what must come back to rest. */
  get now(): { readonly free: number; readonly groups: number } {
    return { free: this.#free, groups: this.#groups.size };
  }

  add(group: string, lane: number, task: Task): void {
    this.#laneOf(group, lane).waiting.push(task);
    this.#goOn();
  }

  /** Takes back what has not begun. */
  drop(group: string, lane: number, task: Task): void {
    const waiting = this.#groups.get(group)?.lanes.get(lane)?.waiting ?? [];
    const at = waiting.indexOf(task);
    if (at >= 0) waiting.splice(at, 1);
    this.#forget(group, lane);
  }

  #goOn(): void {
    while (this.#free > 0 && this.#beginOne() === 'begun');
  }

  #beginOne(): 'begun' | 'no lane may' {
    for (const [name, group] of this.#groups) {
      for (const [number, lane] of group.lanes) {
        if (lane.running >= this.#free - group.running) continue;
        const task = lane.waiting.shift();
        if (task === undefined) continue;
        this.#change(group, lane, 1);
        putLast(this.#groups, name, group);
        putLast(group.lanes, number, lane);
        this.#begin(task, () => {
          this.#change(group, lane, -1);
          this.#forget(name, number);
          this.#goOn();
        });
        return 'begun';
      }
    }
    return 'no lane may';
  }

  #change(group: Group<Task>, lane: Lane<Task>, by: 1 | -1): void {
    group.running += by;
    lane.running += by;
    this.#free -= by;
  }

  #laneOf(name: string, number: number): Lane<Task> {
    const group = this.#groups.get(name) ?? { lanes: new Map<number, Lane<Task>>(), running: 0 };
    this.#groups.set(name, group);
    const lane = group.lanes.get(number) ?? { waiting: [], running: 0 };
    group.lanes.set(number, lane);
    return lane;
  }

  #forget(name: string, number: number): void {
    const group = this.#groups.get(name);
    const lane = group?.lanes.get(number);
    if (group === undefined || lane === undefined) return;
    if (lane.running === 0 && lane.waiting.length === 0) group.lanes.delete(number);
    if (group.lanes.size === 0) this.#groups.delete(name);
  }
}

function putLast<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key);
  map.set(key, value);
}
