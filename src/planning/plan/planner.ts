import { InvalidArgumentError, Result } from "../../index.js";
import { Catalogue } from "../inventory/catalogue.js";
import type { AttributeTexts, CheckedState } from "../wanted/checked-state.js";
import type { CurrentState, OwnedDevice } from "../inventory/current-state.js";
import type { Request } from "../placement/demand.js";
import { type Inventory, type InventoryCard, inventoryOf } from "../inventory/inventory.js";
import { type FoundPlace, isMeant, Placer, type PlaceRejection } from "../placement/placer.js";
import type { Plan, PlanResult, PlanStep, StepFacts, Unplaced } from "./plan.js";
import { keyOf, type Present, PresentDevices } from "./present.js";
import { AmbiguousTypeError, selectType } from "../wanted/type-selector.js";
import type { WantedDevice } from "../wanted/wanted-state.js";

/** One device that is wanted. */
interface Demand extends Request {
  readonly uuid: string;
  readonly texts: AttributeTexts;
}

/** As many as there is room for. */
interface OpenDemand {
  readonly prefix: string;
  readonly entry: WantedDevice;
  readonly card: InventoryCard | undefined;
}

/** What to look at while planning. */
export interface PlannerOptions {
  /** Whether the kernel refused a type on a card although it offered it. */
  readonly isRefused: (card: string, type: string) => boolean;
  /** Is asked about each device just before it gets its place. */
  readonly look?: ((request: Request, placer: Placer) => void) | undefined;
}

/** Makes one plan. */
export class Planner {
  readonly #checked: CheckedState;
  readonly #options: PlannerOptions;
  readonly #inventory: Inventory;
  readonly #catalogue: Catalogue;
  readonly #present: PresentDevices;
  readonly #names = new Set<string>();
  readonly #keeps = new Map<string, { readonly demand: Demand; readonly present: Present }>();
  readonly #unplaced: Unplaced[] = [];
  /** Devices that somebody wants, as they are or otherwise. */
  readonly #spoken = new Set<Present>();
  /** What would replace a device, where that has a place. */
  readonly #replaced = new Map<Demand, Present>();
  readonly #current: CurrentState;

  constructor(current: CurrentState, checked: CheckedState, options: PlannerOptions) {
    this.#current = current;
    this.#checked = checked;
    this.#options = options;
    this.#inventory = inventoryOf(current.snapshot);
    this.#catalogue = new Catalogue(this.#inventory);
    const take = checked.wanted.unproven === "take";
    this.#present = new PresentDevices(current, this.#inventory, this.#catalogue, take);
  }

  /** The plan. */
  plan(): PlanResult {
    const open: OpenDemand[] = [];
    const demands: Demand[] = [];
    for (const entry of this.#checked.wanted.devices) {
      const fault = this.#expand(entry, demands, open);
      if (fault !== undefined) return Result.error(fault);
    }
    const waiting = demands.filter((demand) => !this.#settle(demand));
    for (const one of open) this.#keepOpen(one);
    // What is replaced stays where its successor has no place: it may need what another successor gets.
    const staying = new Set<Present>();
    for (;;) {
      const placed = this.#placeAll(waiting, open, staying);
      if (placed instanceof InvalidArgumentError) return Result.error(placed);
      const stuck = placed.unplaced.flatMap(({ demand }) => this.#replaced.get(demand) ?? []);
      const more = stuck.filter((present) => !staying.has(present));
      if (more.length === 0) return Result.ok(this.#planOf(placed, staying));
      for (const present of more) staying.add(present);
    }
  }

  /** What an entry wants, device by device. */
  #expand(entry: WantedDevice, into: Demand[], open: OpenDemand[]): InvalidArgumentError | undefined {
    const { name, count, per } = entry;
    const texts = this.#checked.texts.get(entry) ?? [];
    const cards = per === undefined ? [undefined] : this.#cardsOf(entry);
    if (cards instanceof AmbiguousTypeError) return cards;
    if (cards.length === 0) this.#unplaced.push(noPlace(name, new Map()));
    for (const card of cards) {
      const prefix = card === undefined ? `${name}/` : `${name}/${card.id}/`;
      if (count === "all") {
        open.push({ prefix, entry, card });
        continue;
      }
      const numbered = count !== undefined || per !== undefined;
      for (let at = 0; at < (count ?? 1); at++) {
        const own = numbered ? `${prefix}${at}` : name;
        if (this.#names.has(own)) {
          const reason = `two devices are called ${JSON.stringify(own)}`;
          return new InvalidArgumentError({ tried: "plan a wanted state", reason });
        }
        this.#names.add(own);
        into.push({ name: own, entry, card, uuid: this.#checked.uuidOf(own, entry), texts });
      }
    }
    return undefined;
  }

  /** The cards that an entry means, by its type too. */
  #cardsOf(entry: WantedDevice): readonly InventoryCard[] | AmbiguousTypeError {
    const cards: InventoryCard[] = [];
    const request = { name: entry.name, entry, card: undefined };
    for (const card of this.#inventory.cards) {
      const meant = card.parents.filter((parent) => isMeant(request, card, parent));
      for (const list of new Set(meant.map((parent) => this.#catalogue.typesOf(parent)))) {
        const type = selectType(entry.type, list);
        if (!type.ok) return type.error;
        if (type.value === undefined) continue;
        cards.push(card);
        break;
      }
    }
    return cards;
  }

  /** Finds what is there under a name; whether nothing is left to do but to keep, to set, or to say why not. */
  #settle(demand: Demand): boolean {
    const present = this.#under(demand);
    if (present === undefined) return false;
    const path = keyOf(present.parent.path, present.device.id);
    const inTheWay = (reason: Unplaced["reason"]): true => {
      this.#unplaced.push(Object.freeze({ name: demand.name, reason, parents: {}, path }));
      return true;
    };
    if (present.own === undefined) return inTheWay("taken");
    this.#spoken.add(present);
    if (present.device.state !== "active") return inTheWay("leaving");
    const isSet = present.isHis || compare(demand.texts, present.own).differing.length === 0;
    if (isSet && this.#isAsWanted(demand, present)) {
      this.#keeps.set(path, { demand, present });
      return true;
    }
    if (!present.isHis) return inTheWay("unproven");
    this.#replaced.set(demand, present);
    return false;
  }

  /** The device that a name or its UUID stands for. */
  #under({ name, uuid, entry }: Demand): Present | undefined {
    const byUuid = this.#present.withId(uuid);
    if (byUuid !== undefined || entry.uuid !== undefined) return byUuid;
    const noted = this.#present.named(name);
    return noted?.parent.layout === "nvidia-vfio" ? noted : undefined;
  }

  #isAsWanted(request: Request, { device, parent, card, own }: Present): boolean {
    if (!isMeant(request, card, parent)) return false;
    const type = selectType(request.entry.type, this.#catalogue.typesOf(parent));
    return type.ok && type.value !== undefined && type.value.id === (device.type ?? own?.note?.type);
  }

  /** Keeps what there is of an entry that wants as many as there is room for. */
  #keepOpen({ prefix, entry, card }: OpenDemand): void {
    for (const present of this.#present.numbered(prefix)) {
      const name = present.own?.note?.name ?? "";
      const uuid = this.#checked.uuidOf(name, entry);
      const isItself = present.parent.layout === "nvidia-vfio" || present.device.id === uuid;
      const demand = { name, entry, card, uuid, texts: this.#checked.texts.get(entry) ?? [] };
      if (this.#spoken.has(present) || !isItself || !this.#isAsWanted(demand, present)) continue;
      this.#names.add(name);
      this.#spoken.add(present);
      if (present.device.state === "active")
        this.#keeps.set(keyOf(present.parent.path, present.device.id), { demand, present });
    }
  }

  #placeAll(
    waiting: readonly Demand[],
    open: readonly OpenDemand[],
    staying: ReadonlySet<Present>,
  ): Placed | InvalidArgumentError {
    const { placement = {}, cards: rule = "auto" } = this.#checked.wanted;
    const going = this.#goingBut(staying);
    const placer = new Placer(this.#inventory, this.#catalogue, {
      rule,
      placement,
      going: new Set(going.map(({ device }) => device)),
      isRefused: (card, type) => this.#options.isRefused(card.id, type),
    });
    const placed: Placed = { going, creates: [], unplaced: [] };
    for (const request of [...waiting, ...open.map((one) => ({ ...one, name: one.prefix }))]) {
      const ambiguous = placer.ambiguityOf(request);
      if (ambiguous !== undefined) return ambiguous;
    }
    const seats = new Map(waiting.map((demand) => [demand, placer.seatsFor(demand)]));
    const inOrder = [...waiting].sort((a, b) => (seats.get(a) ?? 0) - (seats.get(b) ?? 0));
    const grouped = new Set<WantedDevice>();
    const homeless: Demand[] = [];
    for (const demand of inOrder) {
      if (grouped.has(demand.entry)) continue;
      const strategy = (demand.entry.placement ?? placement).strategy;
      const isGroup = strategy === "grouped" && demand.card === undefined;
      const group = isGroup ? inOrder.filter(({ entry }) => entry === demand.entry) : [demand];
      if (isGroup) grouped.add(demand.entry);
      for (const each of group) this.#options.look?.(each, placer);
      const places = isGroup
        ? placer.placeTogether(demand, group.length, this.#cardOfGroup(demand.entry))
        : [placer.place(demand)];
      for (const [at, each] of group.entries()) {
        const place = places?.[at];
        if (place !== undefined) placed.creates.push({ demand: each, place });
        else homeless.push(each);
      }
    }
    // After all places are given: those wanted alike have the same reasons then, which are found out once.
    for (const demand of homeless) placed.unplaced.push({ demand, reasons: placer.reasonsAgainst(demand) });
    for (const one of open) this.#fill(one, placer, placed);
    return placed;
  }

  #fill({ prefix, entry, card }: OpenDemand, placer: Placer, placed: Placed): void {
    const names = new Set(this.#names);
    for (const { demand } of placed.creates) names.add(demand.name);
    const texts = this.#checked.texts.get(entry) ?? [];
    for (let number = 0; ; number++) {
      const name = `${prefix}${number}`;
      if (names.has(name)) continue;
      const uuid = this.#checked.uuidOf(name, entry);
      if (this.#present.withId(uuid) !== undefined) continue;
      const demand = { name, entry, card, uuid, texts };
      this.#options.look?.(demand, placer);
      const place = placer.place(demand, true);
      if (place === undefined) return;
      placed.creates.push({ demand, place });
    }
  }

  /** The card that devices of an entry are on. */
  #cardOfGroup(entry: WantedDevice): InventoryCard | undefined {
    for (const { demand, present } of this.#keeps.values()) if (demand.entry === entry) return present.card;
    return undefined;
  }

  /** What is the owner's and not wanted as it is. */
  #goingBut(staying: ReadonlySet<Present>): readonly Present[] {
    const replaced = new Set(this.#replaced.values());
    return [...this.#present].filter(
      (present) =>
        present.isHis &&
        present.device.state === "active" &&
        !staying.has(present) &&
        (replaced.has(present) || !this.#spoken.has(present)),
    );
  }

  #planOf({ going, creates, unplaced }: Placed, staying: ReadonlySet<Present>): Plan {
    const replaced = new Set(this.#replaced.values());
    const steps: PlanStep[] = [];
    const sets: PlanStep[] = [];
    for (const present of this.#present) {
      const keep = this.#keeps.get(keyOf(present.parent.path, present.device.id));
      if (keep === undefined) continue;
      const { differing, unknown } = compare(keep.demand.texts, present.own);
      const facts = this.#factsOf(present, keep.demand.name);
      if (differing.length > 0)
        sets.push(Object.freeze({ ...facts, kind: "configure", attributes: differing }));
      else steps.push(Object.freeze({ ...facts, kind: "keep", unknown }));
    }
    for (const present of going) {
      const facts = this.#factsOf(present, present.own?.note?.name);
      steps.push(Object.freeze({ ...facts, kind: "remove", replaced: replaced.has(present) }));
    }
    steps.push(...sets, ...creates.map(createStep));
    const wanted = new Set([...this.#keeps.values()].map(({ present }) => present));
    const unproven = [...this.#present].filter(
      (present) => present.own !== undefined && !present.isHis && !wanted.has(present),
    );
    return Object.freeze({
      owner: this.#current.owner,
      wanted: this.#checked.wanted,
      steps: Object.freeze(steps),
      changes: steps.filter(({ kind }) => kind !== "keep").length,
      unplaced: Object.freeze([
        ...this.#unplaced,
        ...unplaced.map(({ demand, reasons }) => {
          const old = this.#replaced.get(demand);
          return noPlace(
            demand.name,
            reasons,
            old && staying.has(old) ? keyOf(old.parent.path, old.device.id) : undefined,
          );
        }),
      ]),
      unproven: Object.freeze(unproven.map(({ device, parent }) => keyOf(parent.path, device.id))),
    });
  }

  #factsOf({ device, parent, card, own, proven }: Present, name: string | undefined): StepFacts {
    const type = this.#catalogue.typeOf(device, parent);
    return {
      name,
      device: device.id,
      parent: parent.id,
      parentPath: parent.path,
      layout: parent.layout,
      card: card.id,
      type: device.type ?? own?.note?.type,
      typeName: type?.name ?? own?.note?.typeName,
      proven,
    };
  }
}

interface Placed {
  readonly going: readonly Present[];
  readonly creates: { readonly demand: Demand; readonly place: FoundPlace }[];
  readonly unplaced: { readonly demand: Demand; readonly reasons: ReadonlyMap<PlaceRejection, number> }[];
}

function createStep({ demand, place }: Placed["creates"][number]): PlanStep {
  const { card, parent, type } = place;
  return Object.freeze({
    kind: "create",
    name: demand.name,
    device: parent.layout === "nvidia-vfio" ? parent.id : demand.uuid,
    parent: parent.id,
    parentPath: parent.path,
    layout: parent.layout,
    card: card.id,
    type: type.id,
    typeName: type.name,
    proven: true,
    attributes: demand.texts,
  });
}

function noPlace(name: string, reasons: ReadonlyMap<PlaceRejection, number>, path?: string): Unplaced {
  return Object.freeze({
    name,
    reason: "no-place",
    parents: Object.freeze(Object.fromEntries(reasons)),
    path,
  });
}

/** Which attributes are not as wanted, and of which that cannot be said. What was written last is what shows. */
function compare(
  texts: AttributeTexts,
  own: OwnedDevice | undefined,
): { readonly differing: AttributeTexts; readonly unknown: readonly string[] } {
  const last = new Map(texts);
  const [differing, unknown] = [new Set<string>(), new Set<string>()];
  for (const [name, wanted] of last) {
    const actual = own?.attributes[name];
    if (actual === undefined) unknown.add(name);
    else if (actual.trim() !== wanted.trim()) differing.add(name);
  }
  return { differing: texts.filter(([name]) => differing.has(name)), unknown: Object.freeze([...unknown]) };
}
