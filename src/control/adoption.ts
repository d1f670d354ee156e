/**
 * How a new Spec, or new addresses, become what the daemon is: prepared completely first (which may
 * say no, and then nothing has changed), then committed. Runs as a change of the queue, so nothing
 * else changes meanwhile but for a stop, which is looked for after each wait.
 */
import { formatAddress } from '../core/endpoint.js';
import { listenerKey } from '../core/identity.js';
import { err, ok, type Result } from '../core/result.js';
import { poolsOf } from '../core/routes.js';
import { type ListenerSpec, placesByWeight, type Spec } from '../core/spec.js';
import type { Resolver } from '../names/resolver.js';
import type { Log } from '../observe/log.js';
import type { Ledger } from '../pool/ledger.js';
import type { AccessLists, ReadLists } from './access_lists.js';
import type { BackendBoard } from './backend_board.js';
import { type ChangeQueue, noWayBack, OVERRULED, type Refusal } from './change_queue.js';
import { Departures } from './departures.js';
import type { DescriptorShares } from './descriptor_shares.js';
import type { BackendEntry, Inventory, InventoryChange } from './inventory.js';
import type { ListeningSockets } from './listening_sockets.js';
import type { LostFiles } from './lost_sockets.js';
import { tellUnresolved } from './name_report.js';
import { namedAddresses, namedBackends } from './named_backends.js';
import type { PlanPublisher } from './plan_publisher.js';
import type { PoolWatch } from './pool_watch.js';
import { type Restated, restate } from './restating.js';
import { Room } from './room.js';
import type { RowTarget } from './row_demand.js';
import { strandedBy } from './stand_ins.js';

export interface AdoptionDeps {
  readonly changes: ChangeQueue;
  readonly resolver: Resolver;
  readonly lists: AccessLists;
  readonly sockets: ListeningSockets;
  readonly shares: DescriptorShares;
  readonly inventory: Inventory;
  readonly board: BackendBoard;
  readonly watch: PoolWatch;
  /** The inventory is another one, of which workers do not know yet. */
  readonly changed: () => void;
  readonly publisher: PlanPublisher;
  readonly ledger: Ledger;
  readonly log: Log;
  /** Asked before the first Spec is in force: it may take a while, and say no. */
  readonly takesOver: (() => Promise<Result<null, Refusal>>) | null;
  /** `spec` is in use from now on; its plan follows at once. */
  readonly inUse: (spec: Spec) => void;
}

export class Adoption {
  readonly #deps: AdoptionDeps;
  readonly #room: Room;
  readonly #departures: Departures;
  #takesOver: AdoptionDeps['takesOver'];
  /** What the inventory was made to follow ahead of its commit. */
  #ahead: InventoryChange | null = null;

  constructor(deps: AdoptionDeps) {
    this.#deps = deps;
    const { inventory, ledger, changes, publisher } = deps;
    this.#takesOver = deps.takesOver;
    this.#departures = new Departures(deps);
    this.#room = new Room({
      inventory,
      ledger,
      changes,
      publish: () => publisher.publish(),
      tidy: () => noWayBack(() => this.#departures.tidy()),
    });
  }

  /**
   * Puts `spec` in place of what is, with `lists` for its listeners (null: with those in use); on a
   * failure nothing has changed.
   */
  async adopt(spec: Spec, lists: ReadLists | null): Promise<Result<null, Refusal>> {
    const target = this.#targetOf(spec);
    let outcome: 'prepared' | 'refused' = 'refused';
    try {
      const prepared = await this.#prepare(target, lists === null ? 'leave' : 'open again');
      if (!prepared.ok) return prepared;
      const may = await this.#takePlace(target, lists);
      if (!may.ok) return may;
      outcome = 'prepared';
    } finally {
      if (outcome === 'refused') this.#takeBack();
    }
    await noWayBack(() => {
      if (lists !== null) this.#deps.lists.use(lists);
      return this.#commit(target);
    });
    this.#tellNames(spec);
    return ok(null);
  }

  /** Asks for the addresses of the names in `spec`, ahead of a change that needs them. */
  ask(spec: Spec): Promise<void> {
    return this.#deps.changes.unlessOverruled(this.#deps.resolver.ask(namedAddresses(spec)));
  }

  /** Asks for the addresses of the names in use again, and follows them with a change. */
  async followAddresses(spec: () => Spec): Promise<Result<null, Refusal>> {
    await this.ask(spec());
    return this.#deps.changes.run(() => this.#followAsked(spec()));
  }

  async #followAsked(spec: Spec): Promise<Result<null, Refusal>> {
    const { changes, resolver } = this.#deps;
    await changes.unlessOverruled(resolver.refresh(namedAddresses(spec)));
    if (changes.overruled) return err(OVERRULED);
    if (resolver.isAhead) {
      const target = this.#targetOf(spec);
      const room = await this.#room.make(target);
      if (!room.ok) return room;
      await noWayBack(() => this.#commit(target));
    }
    this.#tellNames(spec);
    return ok(null);
  }

  /**
   * Other states, weights and caps of the backends that there are: nothing has to be opened,
   * resolved or made room for. In force when it resolves.
   */
  restate(spec: Spec): Promise<Result<null, Refusal>> {
    return noWayBack(async () => {
      const { inventory, board, publisher, changes } = this.#deps;
      this.#deps.inUse(spec);
      const heldBefore = held(inventory);
      const changed = restate(inventory.pools, spec.pools);
      board.restated(changed);
      // Where clients belong and what is held follow the plan; the rest is in the ledger, which
      // workers look at before each choice.
      const isDenied = this.#deps.lists.deny(spec.denied);
      const isMoved = changed.some(movesClients);
      if (isMoved || isDenied || held(inventory) !== heldBefore) {
        await changes.unlessOverruled(publisher.publish());
      }
      return ok(null);
    });
  }

  /** `use` puts other access lists to use, or says that it did not (false). */
  async followAccess(use: () => boolean): Promise<Result<null, Refusal>> {
    const { changes, publisher } = this.#deps;
    await noWayBack(async () => {
      if (use()) await changes.unlessOverruled(publisher.publish());
    });
    return ok(null);
  }

  /** A stop: no listener any more. `atMost` ends the wait for workers that do not answer. */
  async leaveAll(spec: Spec, atMost: Promise<void>): Promise<void> {
    const { inventory, board, publisher, resolver } = this.#deps;
    inventory.yielding.clear();
    // A start that was overruled: workers have no plan, and perhaps no engine to apply one.
    if (inventory.listeners.size === 0) return this.#departures.retireSockets();
    const resolve: RowTarget['resolve'] = ({ address }) => resolver.endpoint(address);
    board.update(inventory.apply({ ...spec, listeners: [] }, resolve));
    this.#deps.watch.look();
    await Promise.race([publisher.publish(), atMost]);
    this.#departures.retireSockets();
  }

  /** A backend that left has no session any more. */
  emptied(entry: BackendEntry): void {
    this.#departures.emptied(entry);
  }

  /** Only between changes: a worker that has not applied the newest plan yet still accepts. */
  async releaseListeners(): Promise<Result<null, Refusal>> {
    await noWayBack(async () => this.#departures.giveBackListeners());
    return ok(null);
  }

  /** A listener that left has no session any more. */
  get listenersLeave(): boolean {
    return this.#departures.listenersLeave;
  }

  /** Everything that can fail. What it opens is known to `#takeBack`. */
  async #prepare(target: RowTarget, lost: LostFiles): Promise<Result<null, Refusal>> {
    const { changes, resolver, sockets, shares } = this.#deps;
    await changes.unlessOverruled(resolver.refresh(namedAddresses(target.spec)));
    if (changes.overruled) return err(OVERRULED);
    const stranded = this.#stranded(target);
    if (stranded.length > 0) return err(stranded);
    const share = shares.make(target.spec, lost);
    if (!share.ok) return share;
    const wanted = new Map(target.spec.listeners.map((one) => [listenerKey(one), one]));
    for (const [key, listener] of wanted) {
      if (changes.overruled) return err(OVERRULED);
      const opened = await sockets.open(key, listener, (other) => wanted.get(other) ?? null, lost);
      if (opened.ok) continue;
      const { address, sentence } = opened.error;
      return err([`listener ${listener.name} cannot listen on ${address}: ${sentence}`]);
    }
    if (changes.overruled) return err(OVERRULED);
    const room = await this.#room.make(target);
    return room.ok && changes.overruled ? err(OVERRULED) : room;
  }

  /** Listeners that have a backend now, and would have none for want of an address. */
  #stranded(target: RowTarget): readonly string[] {
    const { inventory } = this.#deps;
    const serving = [...inventory.listeners.values()].filter(
      ({ tenure, spec }) =>
        tenure === 'kept' &&
        poolsOf(spec).some((pool) =>
          [...(inventory.pools.get(pool)?.backends.values() ?? [])].some(
            (backend) => backend.tenure === 'kept',
          ),
        ),
    );
    const keys = new Set(serving.map(({ key }) => key));
    const places = new Set(serving.flatMap(({ spec }) => placesOf(spec)));
    return strandedBy(
      target,
      inventory.unresolved(target),
      (listener) =>
        keys.has(listenerKey(listener)) || placesOf(listener).some((place) => places.has(place)),
    );
  }

  #tellNames(spec: Spec): void {
    const { log, inventory, resolver } = this.#deps;
    tellUnresolved(log, namedBackends(spec), inventory, resolver);
  }

  #takeBack(): void {
    this.#deps.inventory.yielding.clear();
    this.#deps.sockets.takeBack();
    this.#departures.retireSockets();
  }

  /** Workers get most of the plan before the other process leaves its sockets. */
  async #takePlace(target: RowTarget, read: ReadLists | null): Promise<Result<null, Refusal>> {
    const { inventory, publisher, changes, lists } = this.#deps;
    const takesOver = this.#takesOver;
    this.#takesOver = null;
    if (takesOver === null) return ok(null);
    if (read !== null) lists.use(read);
    lists.deny(target.spec.denied);
    this.#ahead = inventory.apply(target.spec, target.resolve);
    publisher.owner = 'another process';
    await changes.unlessOverruled(publisher.publish());
    publisher.owner = 'this process';
    const may = changes.overruled ? ok(null) : await takesOver();
    return changes.overruled ? err(OVERRULED) : may;
  }

  /** Makes inventory, board and workers follow; from here on there is no way back. */
  async #commit(target: RowTarget): Promise<void> {
    const { changes, inventory, board, publisher, resolver } = this.#deps;
    this.#deps.inUse(target.spec);
    this.#deps.lists.deny(target.spec.denied);
    board.probes.limit(target.spec.daemon.probesPerSecond);
    const change = this.#ahead ?? inventory.apply(target.spec, target.resolve);
    this.#ahead = null;
    this.#deps.changed();
    board.update(change);
    this.#deps.watch.look();
    resolver.followed(namedAddresses(target.spec));
    this.#deps.sockets.takeNoNewClients((key) => {
      const entry = inventory.listeners.get(key);
      return entry?.tenure === 'kept' ? entry.spec : null;
    });
    await changes.unlessOverruled(publisher.publish());
    board.drain(change.departed);
    // Workers have perhaps not left what would be closed now; the stop does it, after its own plan.
    if (changes.overruled) return;
    inventory.releasePools();
    this.#departures.giveBackListeners();
    inventory.releaseCounters();
  }

  #targetOf(spec: Spec): RowTarget {
    const { resolver } = this.#deps;
    return { spec, resolve: ({ address }) => resolver.endpoint(address) };
  }
}

/** Which pools are held, and how many may wait, as a text to compare. */
function held({ pools }: Inventory): string {
  const all = [...pools.values()].filter(({ spec }) => spec.settings.heldAtMost > 0);
  return all.map(({ id, spec }) => `${id} ${spec.settings.heldAtMost}`).join();
}

function movesClients({ entry, before }: Restated): boolean {
  return entry.spec.weight !== before.weight && placesByWeight(entry.pool.spec.settings.policy);
}

/** Where clients find a listener, whatever its name. */
function placesOf({ protocol, bind }: ListenerSpec): string[] {
  return bind.map((endpoint) => `${protocol}/${formatAddress(endpoint)}`);
}
