import type { DeviceSnapshot } from "../../index.js";
import { CardRoom } from "./card-room.js";
import { type Catalogue, isListOfTheMoment } from "../inventory/catalogue.js";
import { Choice, type Place, type Seat } from "./choice.js";
import type { Request } from "./demand.js";
import type { Inventory, InventoryCard, InventoryParent } from "../inventory/inventory.js";
import { meansParent, type ParentSelector } from "../wanted/parent-selector.js";
import type { CardRule, Placement } from "./placement.js";
import { type AmbiguousTypeError, selectType, type TypeWords } from "../wanted/type-selector.js";
import type { WantedDevice } from "../wanted/wanted-state.js";

/**
 * Why a device is not put on a parent. `"not-selected"`: the selector does not mean it; `"no-type"`: it has no such type;
 * `"no-instances"`: the driver offers none; `"card-full"`: the card has no room for the size; `"card-rule"`: its card has devices
 * that it may not share with; `"other-card"`: its entry is on another card, as a group; `"refused"`: the kernel refused it
 * there although it offered it.
 */
export type PlaceRejection =
  "not-selected" | "no-type" | "other-card" | "refused" | "no-instances" | "card-full" | "card-rule";

/** A place that was found. */
export interface FoundPlace {
  readonly card: InventoryCard;
  readonly parent: InventoryParent;
  readonly type: TypeWords;
}

/** What a placer goes by. */
export interface PlacerOptions {
  readonly rule: CardRule;
  readonly placement: Placement;
  /** Devices that are removed before anything is created. */
  readonly going: ReadonlySet<DeviceSnapshot>;
  /** Whether the kernel refused a type on a card although it offered it. */
  readonly isRefused: (card: InventoryCard, type: string) => boolean;
}

/** A choice, and what was found out when it was made. */
interface Known {
  readonly choice: Choice;
  /** How many parents are meant. */
  readonly seats: number;
  readonly ambiguous: AmbiguousTypeError | undefined;
  /** The type that is meant of each list of types. */
  readonly types: ReadonlyMap<readonly TypeWords[], TypeWords | undefined>;
  /** Why there was no place, as long as nothing was taken since. */
  failure: { readonly at: number; readonly reasons: ReadonlyMap<PlaceRejection, number> } | undefined;
}

/**
 * Gives places away, one after the other: pure and deterministic. Devices that are wanted alike share a choice, so that each
 * place costs next to nothing however many parents there are.
 */
export class Placer {
  readonly #options: PlacerOptions;
  readonly #catalogue: Catalogue;
  readonly #places: readonly Place[];
  readonly #byCard = new Map<string, Place[]>();
  readonly #byParent = new Map<string, Place[]>();
  readonly #choices = new Map<string, Known>();
  readonly #functions = new Map<unknown, number>();
  #given = 0;

  constructor(inventory: Inventory, catalogue: Catalogue, options: PlacerOptions) {
    this.#options = options;
    this.#catalogue = catalogue;
    this.#places = inventory.cards.map((card, order) => {
      const room = new CardRoom(card, catalogue, options);
      const place = { room, order, version: 0, watchers: [] };
      add(this.#byCard, card.id, place);
      for (const { id } of card.parents) add(this.#byParent, id, place);
      return place;
    });
  }

  /** Why it cannot be said which type a request means. */
  ambiguityOf(request: Request): AmbiguousTypeError | undefined {
    return this.#knownOf(request).ambiguous;
  }

  /** How many parents a request leaves to choose from, full or not. */
  seatsFor(request: Request): number {
    return this.#knownOf(request).seats;
  }

  /** A place for one device; `counted`: only where the driver tells how many there are. */
  place(request: Request, counted = false): FoundPlace | undefined {
    const taken = this.#knownOf(request).choice.take(counted);
    if (taken === undefined) return undefined;
    this.#given += 1;
    return foundPlace(taken.place, taken.seat);
  }

  /** Places for devices alike on one card, or none: on this one, where some are there already. */
  placeTogether(
    request: Request,
    count: number,
    on: InventoryCard | undefined,
  ): readonly FoundPlace[] | undefined {
    const place = on === undefined ? undefined : this.#places.find(({ room }) => room.card === on);
    const taken = this.#knownOf(request).choice.takeTogether(count, place);
    if (taken === undefined) return undefined;
    this.#given += 1;
    return taken.seats.map((seat) => foundPlace(taken.place, seat));
  }

  /** For how many parents which reason speaks against them. */
  reasonsAgainst(request: Request): ReadonlyMap<PlaceRejection, number> {
    const known = this.#knownOf(request);
    if (known.failure?.at === this.#given) return known.failure.reasons;
    const reasons = new Map<PlaceRejection, number>();
    for (const place of this.#places) {
      for (const parent of place.room.card.parents) {
        // A whole group finds no room where one alone would.
        const reason = this.verdictOn(request, place.room.card, parent) ?? "other-card";
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
    known.failure = { at: this.#given, reasons };
    return reasons;
  }

  /** Why a parent cannot have the device now; `undefined` where it can. */
  verdictOn(request: Request, card: InventoryCard, parent: InventoryParent): PlaceRejection | undefined {
    if (!isMeant(request, card, parent)) return "not-selected";
    const { types, choice } = this.#knownOf(request);
    const type = types.get(this.#catalogue.typesOf(parent));
    if (type === undefined) return "no-type";
    const place = this.#byCard.get(card.id)?.find(({ room }) => room.card === card);
    if (place === undefined) return "not-selected";
    return choice.refusal(place, { at: card.parents.indexOf(parent), type });
  }

  /** The verdicts on all parents, as they are now. */
  verdictsOn(
    request: Request,
  ): readonly { readonly path: string; readonly verdict: PlaceRejection | undefined }[] {
    return this.#places.flatMap(({ room: { card } }) =>
      card.parents.map((parent) => ({ path: parent.path, verdict: this.verdictOn(request, card, parent) })),
    );
  }

  #knownOf(request: Request): Known {
    const { entry, card } = request;
    const placement = entry.placement ?? this.#options.placement;
    const key = this.#keyOf([
      entry.type,
      entry.parent,
      entry.uuid !== undefined,
      placement,
      card?.parents[0]?.path,
    ]);
    const known = this.#choices.get(key);
    if (known !== undefined) return known;
    const made = this.#makeChoice(request, placement);
    this.#choices.set(key, made);
    return made;
  }

  #makeChoice(request: Request, placement: Placement): Known {
    const { isRefused } = this.#options;
    const choice = new Choice(placement, ({ room }, { id }) => isRefused(room.card, id));
    const types = new Map<readonly TypeWords[], TypeWords | undefined>();
    let ambiguous: AmbiguousTypeError | undefined;
    let all = 0;
    for (const place of this.#placesFor(request)) {
      const { card } = place.room;
      const seats: Seat[] = [];
      for (const [at, parent] of card.parents.entries()) {
        if (!isMeant(request, card, parent)) continue;
        const list = this.#catalogue.typesOf(parent);
        if (!types.has(list)) {
          const selected = selectType(request.entry.type, list);
          if (!selected.ok) ambiguous ??= selected.error;
          types.set(list, selected.ok ? selected.value : undefined);
        }
        const type = types.get(list);
        if (type !== undefined) seats.push({ at, type });
      }
      all += seats.length;
      if (seats.length > 0) choice.add(place, seats);
    }
    return { choice, seats: all, ambiguous, types, failure: undefined };
  }

  /** The cards that can be meant at all: by their ids, where there are any. */
  #placesFor({ entry, card }: Request): readonly Place[] {
    if (card !== undefined) return this.#byCard.get(card.id) ?? [];
    const selectors = listOf(entry.parent);
    if (selectors.length === 0 || selectors.some(({ id, card: of }) => id === undefined && of === undefined))
      return this.#places;
    const places = new Set<Place>();
    for (const { id, card: of } of selectors) {
      const named =
        of === undefined
          ? idsOf(id).map((each) => this.#byParent.get(each))
          : idsOf(of).map((each) => this.#byCard.get(each));
      for (const place of named.flat()) if (place !== undefined) places.add(place);
    }
    return [...places].sort((a, b) => a.order - b.order);
  }

  /** A text that is the same for what is wanted alike; functions are told by which they are. */
  #keyOf(parts: readonly unknown[]): string {
    return JSON.stringify(parts, (_key, value: unknown) => {
      if (typeof value !== "function") return value;
      const number = this.#functions.get(value) ?? this.#functions.size;
      this.#functions.set(value, number);
      return `function ${number}`;
    });
  }
}

/** The selectors of an entry; none: any parent. */
export function listOf(parent: WantedDevice["parent"]): readonly ParentSelector[] {
  if (parent === undefined) return [];
  return Array.isArray(parent) ? (parent as readonly ParentSelector[]) : [parent as ParentSelector];
}

/** Whether a request may be on a parent, by all but its type. */
export function isMeant({ entry, card }: Request, of: InventoryCard, parent: InventoryParent): boolean {
  if (card !== undefined && card !== of) return false;
  // Its devices have no UUIDs.
  if (entry.uuid !== undefined && isListOfTheMoment(parent)) return false;
  return entry.parent === undefined || meansParent(entry.parent, parent);
}

function foundPlace({ room }: Place, { at, type }: Seat): FoundPlace {
  return { card: room.card, parent: room.card.parents[at] as InventoryParent, type };
}

function idsOf(ids: string | readonly string[] | undefined): readonly string[] {
  if (ids === undefined) return [];
  return typeof ids === "string" ? [ids] : ids;
}

function add<T>(lists: Map<string, T[]>, key: string, entry: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [entry]);
  else list.push(entry);
}
